#include "build/dockerfile.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/strings.hpp"

namespace compose::build {

namespace {

constexpr std::size_t kMaxLine = std::size_t{1} << 20U;
constexpr std::size_t kMaxInstructions = 10'000;
constexpr std::size_t kMaxHeredocs = 100;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (auto& c : out) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return out;
}

bool may_have_heredocs(std::string_view name) {
    return name == "RUN" || name == "COPY" || name == "ADD";
}

/// Reads the file line by line and hands out logical lines.
class Reader {
public:
    Reader(std::uint32_t file, Diagnostics& findings, std::string_view text)
        : file_(file), findings_(findings), text_(text) {}

    Dockerfile run() {
        if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
        if (const auto nul = text_.find('\0'); nul != std::string_view::npos) {
            const auto line = static_cast<std::uint32_t>(
                                  std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(nul), '\n')) +
                              1;
            findings_.error({file_, line, 1}, "", "the file contains a NUL byte");
            return std::move(out_);
        }
        read_directives();
        while (at_ < text_.size() && findings_.error_count() < Diagnostics::kMaxFindings) {
            const auto [line, column] = next_line();
            const auto rest = line.substr(column);
            if (rest.empty() || rest.front() == '#') continue;
            read_instruction(line, column);
            if (out_.instructions.size() > kMaxInstructions) {
                findings_.error({file_, line_, 1}, "", fmt::format("more than {} instructions", kMaxInstructions));
                break;
            }
        }
        return std::move(out_);
    }

private:
    struct Line {
        std::string_view text;
        std::size_t indent = 0;  // where it begins after blanks
    };
    Line next_line() {
        const auto end = std::min(text_.find('\n', at_), text_.size());
        auto line = text_.substr(at_, end - at_);
        at_ = std::min(end + 1, text_.size());
        ++line_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > kMaxLine) {
            findings_.error({file_, line_, 1}, "", fmt::format("a line of more than {} bytes", kMaxLine));
            line = {};
        }
        std::size_t indent = 0;
        while (indent < line.size() && is_blank(line[indent])) ++indent;
        return {line, indent};
    }

    // "# key=value" before everything else, each key once.
    void read_directives() {
        std::set<std::string> seen;
        while (at_ < text_.size()) {
            const auto before = at_;
            const auto line_before = line_;
            const auto [line, indent] = next_line();
            auto rest = line.substr(indent);
            const auto give_back = [&] {
                at_ = before;
                line_ = line_before;
            };
            if (rest.empty() || rest.front() != '#') return give_back();
            rest = trim(rest.substr(1));
            const auto equals = rest.find('=');
            if (equals == std::string_view::npos) return give_back();
            const auto key = lower(trim(rest.substr(0, equals)));
            const auto value = std::string(trim(rest.substr(equals + 1)));
            if (key != "syntax" && key != "escape" && key != "check") return give_back();
            const SourcePos pos{file_, line_, static_cast<std::uint32_t>(indent) + 1};
            if (!seen.insert(key).second)
                findings_.error(pos, "", fmt::format("the directive {} stands here twice", key));
            else
                apply_directive(key, value, pos);
        }
    }

    void apply_directive(const std::string& key, const std::string& value, SourcePos pos) {
        if (key == "syntax") {
            out_.syntax = value;
            // Nothing but our own front end is ever run, whatever image is named here.
            const bool known =
                value.starts_with("docker/dockerfile") || value.starts_with("docker.io/docker/dockerfile");
            if (!known)
                findings_.warning(pos, "", fmt::format("the syntax {} is read as docker/dockerfile:1", quote(value)),
                                  "other front ends are never run");
        } else if (key == "escape") {
            if (value == "\\" || value == "`")
                out_.escape = value[0];
            else
                findings_.error(pos, "", fmt::format("{} can't be the escape character", quote(value)),
                                "write # escape=` or # escape=\\");
        } else {
            for (const auto& part : split(value, ';')) apply_check(trim(part), pos);
        }
    }

    void apply_check(std::string_view part, SourcePos pos) {
        const auto equals = std::min(part.find('='), part.size());
        const auto name = lower(trim(part.substr(0, equals)));
        const auto value = trim(part.substr(std::min(equals + 1, part.size())));
        if (name == "skip") {
            for (const auto& rule : split(value, ',')) {
                if (trim(rule) == "all") out_.skip_all_checks = true;
                out_.skipped_checks.insert(std::string(trim(rule)));
            }
        } else if (name == "error") {
            out_.checks_are_errors = lower(value) == "true" || value == "1";
        } else if (!part.empty()) {
            findings_.warning(pos, "", fmt::format("unknown check option {}", quote(name)),
                              "write skip=RULE or error=true");
        }
    }

    void read_instruction(std::string_view first, std::size_t indent) {
        Instruction one;
        one.pos = {file_, line_, static_cast<std::uint32_t>(indent) + 1};
        std::size_t end = indent;
        while (end < first.size() && !is_blank(first[end])) ++end;
        one.written = std::string(first.substr(indent, end - indent));
        bool name_continues = false;
        if (one.written.ends_with(out_.escape) && trim(first.substr(end)).empty()) {
            one.written.pop_back();
            name_continues = true;
        }
        one.name = upper(one.written);
        join_lines(one, first, end, name_continues);
        finish_instruction(one);
    }

    /// The logical line: `one.args` and its places, up to a line without an escape at its end.
    void join_lines(Instruction& one, std::string_view line, std::size_t from, bool continued) {
        std::size_t total = 0;
        for (bool first = true;; first = false) {
            if (!first || !continued) {
                std::size_t begin = from;
                if (one.args.empty())
                    while (begin < line.size() && is_blank(line[begin])) ++begin;
                auto piece = line.substr(begin);
                const auto trimmed_end = piece.find_last_not_of(" \t\r\v\f");
                const bool more = trimmed_end != std::string_view::npos && piece[trimmed_end] == out_.escape;
                piece = more ? piece.substr(0, trimmed_end) : piece;
                if (!piece.empty())
                    one.places.emplace_back(one.args.size(),
                                            SourcePos{file_, line_, static_cast<std::uint32_t>(begin) + 1});
                one.args += piece;
                total += piece.size();
                if (!more) break;
            }
            if (total > kMaxLine) {
                findings_.error(one.pos, "", fmt::format("an instruction of more than {} bytes", kMaxLine));
                break;
            }
            if (!next_piece(one, line)) break;
            from = 0;
        }
        while (!one.args.empty() && is_blank(one.args.back())) one.args.pop_back();
    }

    /// The next line of a continued instruction; comments and blank lines between are left out.
    bool next_piece(Instruction& one, std::string_view& line) {
        while (at_ < text_.size()) {
            const auto next = next_line();
            const auto rest = next.text.substr(next.indent);
            if (!rest.empty() && rest.front() == '#') continue;
            if (rest.empty()) {
                one.empty_continuations.push_back({file_, line_, 1});
                continue;
            }
            line = next.text;
            return true;
        }
        return false;
    }

    void finish_instruction(Instruction& one);
    void read_heredocs(Instruction& one);
    void read_body(Heredoc& doc);

    std::uint32_t file_;
    Diagnostics& findings_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 0;
    Dockerfile out_;
};

/// Takes "--name=value" words off the front of the arguments.
void take_flags(Instruction& one, char escape) {
    const auto words = raw_words(one.args, escape);
    std::size_t used = 0;
    for (const auto& word : words) {
        if (!word.text.starts_with("--")) break;
        used = word.offset + word.text.size();
        if (word.text == "--") break;
        Flag flag;
        const auto equals = word.text.find('=');
        flag.name = word.text.substr(2, equals == std::string::npos ? std::string::npos : equals - 2);
        flag.has_value = equals != std::string::npos;
        if (flag.has_value) flag.value = word.text.substr(equals + 1);
        flag.pos = one.place_of(word.offset);
        one.flags.push_back(std::move(flag));
    }
    if (used == 0) return;
    while (used < one.args.size() && is_blank(one.args[used])) ++used;
    std::vector<std::pair<std::size_t, SourcePos>> places;
    places.emplace_back(0, one.place_of(used));
    for (const auto& [offset, pos] : one.places)
        if (offset > used) places.emplace_back(offset - used, pos);
    one.args.erase(0, used);
    one.places = std::move(places);
}

bool takes_flags(std::string_view name) {
    return name == "FROM" || name == "RUN" || name == "COPY" || name == "ADD" || name == "HEALTHCHECK";
}

bool takes_json(std::string_view name) {
    return name == "RUN" || name == "CMD" || name == "ENTRYPOINT" || name == "SHELL" || name == "VOLUME" ||
           name == "COPY" || name == "ADD";
}

void complete(Instruction& one, char escape) {
    if (takes_flags(one.name)) take_flags(one, escape);
    if (takes_json(one.name)) one.json = parse_string_list(one.args);
}

void Reader::finish_instruction(Instruction& one) {
    complete(one, out_.escape);
    auto inner = one.name;
    if (inner == "ONBUILD") {
        const auto words = raw_words(one.args, out_.escape);
        if (!words.empty()) inner = upper(words[0].text);
    }
    if (may_have_heredocs(inner) && !one.json) read_heredocs(one);
    out_.instructions.push_back(std::move(one));
}

/// "<<EOF", "3<<-'EOF'": the delimiter, or nothing.
std::optional<Heredoc> heredoc_of(std::string_view word) {
    while (!word.empty() && word.front() >= '0' && word.front() <= '9') word.remove_prefix(1);
    if (!word.starts_with("<<") || word.starts_with("<<<")) return std::nullopt;
    word.remove_prefix(2);
    Heredoc doc;
    if (word.starts_with('-')) {
        doc.strip_tabs = true;
        word.remove_prefix(1);
    }
    for (const char c : word) {
        if (c == '"' || c == '\'')
            doc.expand = false;
        else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                 c == '-' || c == '/')
            doc.name += c;
        else
            return std::nullopt;
    }
    if (doc.name.empty()) return std::nullopt;
    return doc;
}

void Reader::read_heredocs(Instruction& one) {
    for (const auto& word : raw_words(one.args, out_.escape)) {
        auto doc = heredoc_of(word.text);
        if (!doc) continue;
        doc->pos = one.place_of(word.offset);
        if (one.heredocs.size() == kMaxHeredocs) {
            findings_.error(doc->pos, "", fmt::format("more than {} heredocs in one instruction", kMaxHeredocs));
            return;
        }
        read_body(*doc);
        one.heredocs.push_back(std::move(*doc));
    }
}

void Reader::read_body(Heredoc& doc) {
    while (at_ < text_.size()) {
        auto line = next_line().text;
        if (doc.strip_tabs)
            while (line.starts_with('\t')) line.remove_prefix(1);
        if (line == doc.name) return;
        doc.body += line;
        doc.body += '\n';
    }
    findings_.error(doc.pos, "", fmt::format("the heredoc {} is not ended", quote(doc.name)),
                    fmt::format("write {} on a line of its own", doc.name));
}

}  // namespace

SourcePos Instruction::place_of(std::size_t offset) const {
    auto best = pos;
    std::size_t base = 0;
    for (const auto& [start, place] : places) {
        if (start > offset) break;
        best = place;
        base = start;
    }
    if (!places.empty()) best.column += static_cast<std::uint32_t>(offset - base);
    return best;
}

std::vector<Word> raw_words(std::string_view text, char escape) {
    std::vector<Word> out;
    bool open = false;
    char inside = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inside == 0 && (is_blank(c) || c == '\n')) {
            open = false;
            continue;
        }
        if (!open) out.push_back({"", i});
        open = true;
        out.back().text += c;
        if (c == escape && inside != '\'' && i + 1 < text.size()) {
            out.back().text += text[++i];
        } else if (inside == 0 && (c == '"' || c == '\'')) {
            inside = c;
        } else if (c == inside) {
            inside = 0;
        }
    }
    return out;
}

Dockerfile parse_dockerfile(std::uint32_t file, Diagnostics& findings, std::optional<std::string_view> text) {
    return Reader(file, findings, text.value_or(findings.sources.text(file))).run();
}

Instruction parse_instruction(std::string_view line, char escape, SourcePos at, Diagnostics& findings) {
    Instruction one;
    one.pos = at;
    const auto text = trim(line);
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    one.written = std::string(text.substr(0, end));
    one.name = upper(one.written);
    one.args = std::string(trim(text.substr(end)));
    auto inner = at;
    inner.column += static_cast<std::uint32_t>(text.size() - one.args.size());
    one.places.emplace_back(0, inner);
    if (one.name.empty()) findings.error(at, "", "there is no instruction");
    complete(one, escape);
    return one;
}

}  // namespace compose::build
