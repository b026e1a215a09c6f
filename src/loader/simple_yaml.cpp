#include "loader/simple_yaml.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "loader/simple_yaml_cursor.hpp"

namespace compose {

namespace {

/// What stands before a value: `&anchor` and `!tag`, and where the first of them or the value begins.
struct Properties {
    SourcePos pos;
    std::size_t anchor = 0;
    std::string tag;
    bool any = false;
};

class SimpleParser : SimpleYamlCursor {
public:
    SimpleParser(std::string_view text, std::uint32_t file, YamlBuilder& builder)
        : SimpleYamlCursor(text, file), builder_(builder) {}

    void parse() {
        if (!first_content()) to_content();
        if (at_ >= text_.size()) give_up();
        block_node(column(), Properties{});
        if (!on_content_) to_content();
        if (at_ < text_.size()) give_up();
    }

private:
    void emit_scalar(const Properties& properties, bool quoted, std::string text) {
        builder_.scalar(properties.pos, properties.tag, quoted, properties.anchor, std::move(text));
    }
    void emit_scalar(const Properties& properties, bool quoted, std::string_view text) {
        emit_scalar(properties, quoted, std::string(text));
    }
    void begin_sequence(const Properties& properties) {
        builder_.begin_sequence(properties.pos, properties.tag, properties.anchor);
    }
    void begin_mapping(const Properties& properties) {
        builder_.begin_mapping(properties.pos, properties.tag, properties.anchor);
    }

    // --- block structure ----------------------------------------------------------------------------------------

    /// The node that begins here, at `column`, as the first thing on its line or after "- ".
    void block_node(std::size_t indent, Properties properties) {
        if (!properties.any) properties.pos = here();
        if (peek() == '-' && blank_follows(1)) return block_sequence(indent, properties);
        if (is_key()) return block_mapping(indent, properties);
        // A scalar that stands alone: what belongs to it cannot be told by indentation here.
        if (properties.any) give_up();
        inline_value(indent == 0 ? 0 : indent - 1, properties, indent == 0);
    }

    void key() {
        Properties properties;
        properties.pos = here();
        if (peek() == '"' || peek() == '\'') {
            emit_scalar(properties, true, quoted());
            skip_blanks();
        } else {
            check_plain_start();
            const auto start = at_;
            while (peek() != ':' || !blank_follows(1)) {
                if (peek() == '\t') give_up();
                ++at_;
            }
            auto text = text_.substr(start, at_ - start);
            while (text.ends_with(' ')) text.remove_suffix(1);
            emit_scalar(properties, false, text);
        }
        ++at_;  // the colon
    }

    void block_mapping(std::size_t indent, const Properties& properties) {
        begin_mapping(properties);
        do {
            if (!is_key()) give_up();
            key();
            mapping_value(indent);
        } while (more_at(indent));
        builder_.end();
    }

    /// After an entry: is the next one at this indentation? Deeper content belongs to nothing.
    bool more_at(std::size_t indent) {
        if (!on_content_) to_content();
        on_content_ = at_ >= text_.size() || column() < indent;
        if (on_content_) return false;
        if (column() > indent) give_up();
        return true;
    }

    void mapping_value(std::size_t indent) {
        skip_blanks();
        const auto properties = read_properties();
        if (peek() != '\n' && peek() != '#') return inline_value(indent, properties, false);
        to_content();
        const bool deeper = at_ < text_.size() && column() > indent;
        const bool list_here = at_ < text_.size() && column() == indent && peek() == '-' && blank_follows(1);
        if (deeper || list_here) return block_node(column(), properties);
        on_content_ = true;
        emit_scalar(properties, false, std::string{});
    }

    void block_sequence(std::size_t indent, const Properties& properties) {
        begin_sequence(properties);
        do {
            if (peek() != '-' || !blank_follows(1)) {  // a key at the same indentation ends the list of a mapping
                on_content_ = true;
                break;
            }
            const auto dash = here();
            ++at_;
            skip_blanks();
            sequence_item(indent, dash);
        } while (more_at(indent));
        builder_.end();
    }

    void sequence_item(std::size_t indent, SourcePos dash) {
        auto properties = read_properties();
        if (peek() == '\n' || peek() == '#') {
            to_content();
            if (!properties.any) properties.pos = dash;
            if (at_ < text_.size() && column() > indent)
                return block_node(column(), properties.any ? properties : Properties{});
            on_content_ = true;
            emit_scalar(properties, false, std::string{});
        } else if ((peek() == '-' && blank_follows(1)) || is_key()) {
            if (properties.any) give_up();
            block_node(column(), properties);
        } else {
            inline_value(indent, properties, false);
        }
    }

    // --- values that begin on the line of their key or dash ------------------------------------------------------

    Properties read_properties() {
        Properties out;
        out.pos = here();
        while (peek() == '&' || peek() == '!') {
            if (peek() == '&' ? out.anchor != 0 : !out.tag.empty()) give_up();
            out.any = true;
            const auto start = at_++;
            if (peek() == '!') ++at_;
            const auto word = name_from(start);
            if (word.size() < 2) give_up();
            if (word[0] == '&')
                anchors_[std::string(word.substr(1))] = out.anchor = ++last_anchor_;
            else
                out.tag = tag_of(word);
            skip_blanks();
        }
        return out;
    }

    static std::string tag_of(std::string_view word) {
        if (!word.starts_with("!!")) return std::string(word);
        if (word.size() == 2) give_up();
        return "tag:yaml.org,2002:" + std::string(word.substr(2));
    }

    void alias(const Properties& properties) {
        if (properties.any) give_up();
        ++at_;
        const auto found = anchors_.find(std::string(name_from(at_)));
        if (found == anchors_.end()) give_up();
        builder_.alias(properties.pos, found->second);
    }

    /// `indent` is that of the parent: deeper lines would go on with the value.
    void inline_value(std::size_t indent, const Properties& properties, bool at_root) {
        const char first = peek();
        if (first == '*') {
            alias(properties);
        } else if (first == '"' || first == '\'') {
            emit_scalar(properties, true, quoted());
        } else if (first == '[' || first == '{') {
            flow_collection(properties);
        } else if (first == '|') {
            if (at_root) give_up();
            return literal(indent, properties);
        } else {
            plain(properties);
            if (at_root || goes_on(indent)) give_up();
        }
        finish_line();
    }

    void plain(const Properties& properties) {
        check_plain_start();
        const auto start = at_;
        auto last = at_;
        for (; peek() != '\n'; ++at_) {
            const char c = text_[at_];
            if (c == '\t' || (c == ':' && blank_follows(1))) give_up();
            if (c == '#' && text_[at_ - 1] == ' ') break;
            if (c != ' ') last = at_ + 1;
        }
        at_ = last;
        emit_scalar(properties, false, text_.substr(start, last - start));
    }

    void literal(std::size_t indent, const Properties& properties) {
        ++at_;
        const char chomp = peek() == '-' || peek() == '+' ? text_[at_++] : ' ';
        finish_line();
        std::string out;
        std::size_t body = 0;
        std::size_t pending = 0;  // empty lines that count only when more text follows
        while (at_ < text_.size()) {
            const auto start = at_ + 1;
            if (start >= text_.size()) break;
            auto content = text_.find_first_not_of(' ', start);
            if (content == std::string_view::npos) content = text_.size();
            const auto end = text_.find('\n', start);
            const auto line_end = end == std::string_view::npos ? text_.size() : end;
            const auto depth = std::min(content, line_end) - start;
            if (content >= line_end && (body == 0 || depth <= body)) {
                if (body == 0 && depth > indent + 1)
                    give_up();  // leading lines of blanks only: their depth would count
                ++pending;
            } else {
                if (depth < body || depth <= indent) break;
                if (body == 0) body = depth;
                out.append(pending, '\n');
                pending = 1;
                out += text_.substr(start + body, line_end - start - body);
            }
            next_line();
            at_ = line_end;
        }
        if (body == 0) give_up();
        const bool cut_off = at_ >= text_.size();  // the last line has no end
        if (chomp == '+') out.append(cut_off ? pending - 1 : pending, '\n');
        if (chomp == ' ' && !(cut_off && pending == 1)) out += '\n';
        emit_scalar(properties, true, std::move(out));
    }

    // --- flow collections -----------------------------------------------------------------------------------------

    void flow_collection(const Properties& properties) {
        const bool mapping = text_[at_++] == '{';
        const char close = mapping ? '}' : ']';
        mapping ? begin_mapping(properties) : begin_sequence(properties);
        flow_space();
        while (peek() != close) {
            if (mapping) flow_key();
            flow_value();
            flow_space();
            if (peek() == close) break;
            if (peek() != ',') give_up();
            ++at_;
            flow_space();
        }
        ++at_;
        builder_.end();
    }

    void flow_key() {
        Properties properties;
        properties.pos = here();
        const bool is_quoted = peek() == '"' || peek() == '\'';
        if (is_quoted)
            emit_scalar(properties, true, quoted());
        else
            flow_plain(properties);
        skip_blanks();
        if (peek() != ':' || (!is_quoted && !blank_follows(1) && !is_flow_indicator(peek(1)))) give_up();
        ++at_;
        flow_space();
    }

    void flow_value() {
        const auto properties = read_properties();
        const char first = peek();
        if (first == '*')
            alias(properties);
        else if (first == '"' || first == '\'')
            emit_scalar(properties, true, quoted());
        else if (first == '[' || first == '{')
            flow_collection(properties);
        else if ((first == ',' || first == '}') && text_[at_ - 1] != ',')
            emit_scalar(properties, false, std::string{});
        else
            flow_plain(properties);
        skip_blanks();
        if (peek() == ':') give_up();
    }

    void flow_plain(const Properties& properties) {
        check_plain_start();
        if (peek() == '-' && is_flow_indicator(peek(1))) give_up();
        const auto start = at_;
        auto last = at_;
        for (; !is_flow_indicator(peek()); ++at_) {
            const char c = peek();
            if (c == '\n' || c == '\t') break;
            if (c == ':' && (blank_follows(1) || is_flow_indicator(peek(1)))) break;
            if (c == '#' && text_[at_ - 1] == ' ') give_up();
            if (c != ' ') last = at_ + 1;
        }
        if (last == start || text_[last - 1] == ':') give_up();
        if (peek() == '\n') {  // only the end of the collection may follow, or the text goes on
            const auto next = text_.find_first_not_of(" \n", at_);
            if (next == std::string_view::npos || (text_[next] != ']' && text_[next] != '}' && text_[next] != ','))
                give_up();
        }
        at_ = last;
        emit_scalar(properties, false, text_.substr(start, last - start));
    }

    bool on_content_ = false;  // the reader has gone on to the next content, which no one has taken yet
    YamlBuilder& builder_;
    std::unordered_map<std::string, std::size_t> anchors_;
    std::size_t last_anchor_ = 0;
};

}  // namespace

bool read_simple_yaml(std::string_view text, std::uint32_t file, YamlBuilder& builder) {
    try {
        SimpleParser(text, file, builder).parse();
        return true;
    } catch (const NotSimple&) {
        return false;
    }
}

}  // namespace compose
