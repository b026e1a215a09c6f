#include "image/words.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxExpanded = std::size_t{1} << 20U;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

class Words {
public:
    Words(std::string_view text, const Variables& variables, bool split, std::size_t depth)
        : text_(text), variables_(variables), split_(split), depth_(depth) {
        if (depth > kMaxDepth) throw Error("variables are nested too deeply", ErrorKind::invalid);
    }

    std::vector<std::string> read() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (split_ && is_blank(c)) {
                end_word();
                ++at_;
            } else if (c == '\'') {
                read_single_quoted();
            } else if (c == '"') {
                read_double_quoted();
            } else if (c == '\\') {
                started_ = true;
                if (++at_ < text_.size()) word_ += text_[at_++];
            } else if (c == '$') {
                read_variable();
            } else {
                started_ = true;
                word_ += c;
                ++at_;
            }
            if (word_.size() > kMaxExpanded) throw Error("the expanded text is too long", ErrorKind::invalid);
        }
        end_word();
        return std::move(words_);
    }

private:
    void end_word() {
        if (started_ || !word_.empty()) words_.push_back(std::move(word_));
        word_.clear();
        started_ = false;
    }

    void read_single_quoted() {
        const auto end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos) throw Error("a single quote is not closed", ErrorKind::invalid);
        word_ += text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        started_ = true;
    }

    void read_double_quoted() {
        started_ = true;
        for (++at_; at_ < text_.size();) {
            const char c = text_[at_];
            if (c == '"') {
                ++at_;
                return;
            }
            if (c == '$') {
                read_variable();
            } else if (c == '\\' && at_ + 1 < text_.size() &&
                       (text_[at_ + 1] == '"' || text_[at_ + 1] == '$' || text_[at_ + 1] == '\\')) {
                word_ += text_[at_ + 1];
                at_ += 2;
            } else {
                word_ += c;
                ++at_;
            }
        }
        throw Error("a double quote is not closed", ErrorKind::invalid);
    }

    void read_variable() {
        started_ = true;
        ++at_;
        if (at_ < text_.size() && text_[at_] == '{') return read_braced();
        const auto start = at_;
        if (at_ < text_.size() && is_name_start(text_[at_]))
            while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        if (at_ == start)
            word_ += '$';
        else
            word_ += value(text_.substr(start, at_ - start));
    }

    void read_braced() {
        const auto start = ++at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        const auto name = text_.substr(start, at_ - start);
        if (name.empty() || !is_name_start(name[0]) || at_ == text_.size()) bad_brace();
        if (text_[at_] == '}') {
            ++at_;
            word_ += value(name);
            return;
        }
        const bool colon = text_[at_] == ':';
        if (colon) ++at_;
        const char operation = at_ < text_.size() ? text_[at_] : '\0';
        if (operation != '-' && operation != '+') bad_brace();
        const auto argument_start = ++at_;
        for (int open = 1; open > 0; ++at_) {
            if (at_ >= text_.size()) bad_brace();
            if (text_[at_] == '\\')
                ++at_;
            else if (text_[at_] == '{')
                ++open;
            else if (text_[at_] == '}')
                --open;
        }
        const auto argument = text_.substr(argument_start, at_ - argument_start - 1);
        const auto found = variables_.find(name);
        const bool set = found != variables_.end() && (!colon || !found->second.empty());
        if (operation == '-' && set) word_ += found->second;
        if ((operation == '-') != set) {
            const auto expanded = Words(argument, variables_, false, depth_ + 1).read();
            if (!expanded.empty()) word_ += expanded[0];
        }
    }

    [[noreturn]] static void bad_brace() {
        throw Error("a \"${\" is not of the form ${NAME}, ${NAME:-default} or ${NAME:+replacement}",
                    ErrorKind::invalid);
    }

    std::string_view value(std::string_view name) const {
        const auto found = variables_.find(name);
        return found == variables_.end() ? std::string_view() : std::string_view(found->second);
    }

    std::string_view text_;
    const Variables& variables_;
    bool split_;
    std::size_t depth_;
    std::size_t at_ = 0;
    std::string word_;
    bool started_ = false;
    std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> split_words(std::string_view text, const Variables& variables) {
    return Words(text, variables, true, 0).read();
}

std::string expand_word(std::string_view text, const Variables& variables) {
    auto words = Words(text, variables, false, 0).read();
    return words.empty() ? std::string() : std::move(words[0]);
}

std::size_t first_word_end(std::string_view text) {
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote != '\'')
            ++i;
        else if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (is_blank(c))
            return i;
    }
    return text.size();
}

}  // namespace compose::image
