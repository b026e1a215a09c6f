#include "loader/dotenv.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace compose {

namespace {

constexpr std::size_t kMaxEntries = 100'000;
constexpr std::size_t kMaxText = std::size_t{32} << 20U;  // names and values, expanded

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

bool in_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '[' || c == ']' || static_cast<unsigned char>(c) >= 0x80;
}

/// What a value was before its expressions are expanded.
struct RawValue {
    std::string text;
    bool expands = true;
};

class DotenvParser {
public:
    DotenvParser(std::uint32_t file, const std::map<std::string, std::string>& environment,
                 const std::map<std::string, std::string>& earlier, Diagnostics& findings)
        : text_(findings.sources.text(file)),
          file_(file),
          environment_(environment),
          known_(earlier),
          findings_(findings) {
        lookup_ = [this](const std::string& name) { return find(name); };
    }

    std::vector<DotenvEntry> run() {
        for (;;) {
            skip_to_statement();
            if (at_ >= text_.size()) return std::move(out_);
            statement();
        }
    }

private:
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }
    [[nodiscard]] SourcePos here() const { return {file_, line_, static_cast<std::uint32_t>(at_ - line_start_ + 1)}; }

    const std::string* find(const std::string& name) const {
        if (const auto found = environment_.find(name); found != environment_.end()) return &found->second;
        const auto found = known_.find(name);
        return found == known_.end() ? nullptr : &found->second;
    }

    void advance() {
        if (text_[at_++] != '\n') return;
        ++line_;
        line_start_ = at_;
    }
    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    }
    void skip_line() {
        const auto end = text_.find('\n', at_);
        at_ = end == std::string_view::npos ? text_.size() : end;
    }

    void skip_to_statement() {
        while (at_ < text_.size()) {
            if (text_[at_] == '#')
                skip_line();
            else if (text_[at_] == '\n' || is_blank(text_[at_]))
                advance();
            else
                return;
        }
    }

    void fail(SourcePos pos, std::string message, std::string hint = {}) {
        findings_.error(pos, "", std::move(message), std::move(hint));
        skip_line();
    }

    void statement() {
        if (text_.substr(at_).starts_with("export") && at_ + 6 < text_.size() && is_blank(text_[at_ + 6])) {
            at_ += 6;
            skip_blanks();
        }
        const auto pos = here();
        const auto start = at_;
        while (at_ < text_.size() && in_key(text_[at_])) ++at_;
        std::string key(text_.substr(start, at_ - start));
        skip_blanks();
        const bool ends = at_ >= text_.size() || peek() == '\n' || (peek() == '#' && is_blank(text_[at_ - 1]));
        if (key.empty() || (!ends && peek() != '=' && peek() != ':')) return bad_key(pos, start);
        if (ends) {
            skip_line();
            const auto* value = find(key);
            return add(std::move(key), value == nullptr ? std::nullopt : std::optional(*value), pos);
        }
        ++at_;
        skip_blanks();
        if (auto value = read_value(key)) add(std::move(key), std::move(*value), pos);
    }

    void bad_key(SourcePos pos, std::size_t start) {
        const auto bad = at_;
        at_ = start;
        skip_line();
        const auto shown = text_.substr(start, std::min(at_, bad) - start);
        findings_.error({file_, pos.line, static_cast<std::uint32_t>(bad - line_start_ + 1)}, "",
                        fmt::format("unexpected character {} after the variable name {}",
                                    quote(text_.substr(bad, bad < text_.size() ? 1 : 0)), quote(trim(shown))),
                        "write NAME=value");
    }

    std::optional<std::string> read_value(const std::string& key) {
        const auto pos = here();
        RawValue raw;
        if (peek() == '"' || peek() == '\'') {
            if (!read_quoted(raw, key, pos)) return std::nullopt;
        } else {
            read_plain(raw);
        }
        if (!raw.expands || raw.text.find('$') == std::string::npos) return std::move(raw.text);
        try {
            return expand(raw.text, lookup_);
        } catch (const ExpandFailure& failure) {
            findings_.error(
                pos, "", fmt::format("{}: {}", key, failure.message),
                failure.kind == ExpandFailure::Kind::malformed ? "a $ that is meant as such is written $$" : "");
            return std::nullopt;
        }
    }

    void read_plain(RawValue& raw) {
        const auto start = at_;
        skip_line();
        auto value = text_.substr(start, at_ - start);
        for (std::size_t i = 0; i < value.size(); ++i)
            if (value[i] == '#' && (i == 0 ? start > 0 && is_blank(text_[start - 1]) : is_blank(value[i - 1]))) {
                value = value.substr(0, i);
                break;
            }
        raw.text = trim(value);
    }

    bool read_quoted(RawValue& raw, const std::string& key, SourcePos pos) {
        const char mark = text_[at_++];
        raw.expands = mark == '"';
        for (;;) {
            if (at_ >= text_.size()) {
                fail(pos, fmt::format("the quoted value of {} has no end", key), "close the quote");
                return false;
            }
            const char c = text_[at_];
            if (c == mark) break;
            if (c == '\\' && at_ + 1 < text_.size() && (raw.expands || text_[at_ + 1] == mark)) {
                escape(raw.text, raw.expands);
                continue;
            }
            if (c != '\r' || at_ + 1 >= text_.size() || text_[at_ + 1] != '\n') raw.text += c;
            advance();
        }
        ++at_;
        skip_blanks();
        if (at_ < text_.size() && peek() != '\n' && peek() != '#') {
            fail(here(), fmt::format("text after the closing quote of {}", key));
            return false;
        }
        skip_line();
        return true;
    }

    /// At a backslash. In double quotes `\$` becomes `$$`, since expressions are expanded afterwards.
    void escape(std::string& out, bool expands) {
        static constexpr std::string_view kFrom = "abfnrtv\"\\'";
        static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\"\\'";
        const char c = text_[at_ + 1];
        const auto known = kFrom.find(c);
        if (!expands) {
            out += c;
        } else if (c == '$') {
            out += "$$";
        } else if (known != std::string_view::npos && c != '\'') {
            out += kTo[known];
        } else {
            out += '\\';
            ++at_;
            return;  // the character itself follows as any other
        }
        at_ += 1;
        advance();
    }

    void add(std::string key, std::optional<std::string> value, SourcePos pos) {
        text_size_ += key.size() + (value ? value->size() : 0);
        if (out_.size() >= kMaxEntries || text_size_ > kMaxText) {
            findings_.error(pos, "",
                            fmt::format("more than {} variables, or {} MiB of values", kMaxEntries, kMaxText >> 20U));
            at_ = text_.size();
            return;
        }
        if (value) known_[key] = *value;
        out_.push_back({std::move(key), std::move(value), pos});
    }

    std::string_view text_;
    std::uint32_t file_;
    const std::map<std::string, std::string>& environment_;
    std::map<std::string, std::string> known_;
    Diagnostics& findings_;
    VariableLookup lookup_;
    std::vector<DotenvEntry> out_;
    std::size_t text_size_ = 0;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    std::size_t line_start_ = 0;
};

/// A NUL can neither be an argument of execve nor stand in an environment; binary files end here.
bool check_text(std::uint32_t file, Diagnostics& findings) {
    const auto text = findings.sources.text(file);
    std::string_view message;
    const auto nul = text.find('\0');
    if (nul != std::string_view::npos)
        message = "a NUL byte is not allowed here";
    else if (!is_valid_utf8(text))
        message = "the file is not valid UTF-8";
    if (message.empty()) return true;
    const auto before = text.substr(0, nul == std::string_view::npos ? 0 : nul);
    const auto line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
    findings.error({file, line, 1}, "", std::string(message));
    return false;
}

}  // namespace

std::vector<DotenvEntry> parse_dotenv(std::uint32_t file, const std::map<std::string, std::string>& environment,
                                      const std::map<std::string, std::string>& earlier, Diagnostics& findings) {
    if (!check_text(file, findings)) return {};
    return DotenvParser(file, environment, earlier, findings).run();
}

std::vector<DotenvEntry> parse_raw_env(std::uint32_t file, const std::map<std::string, std::string>& environment,
                                       Diagnostics& findings) {
    std::vector<DotenvEntry> out;
    if (!check_text(file, findings)) return out;
    SourcePos pos{file, 0, 1};
    for (std::string_view rest = findings.sources.text(file); !rest.empty();) {
        ++pos.line;
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto start = line.find_first_not_of(" \t");
        if (start == std::string_view::npos || line[start] == '#') continue;
        line.remove_prefix(start);
        const auto equals = line.find('=');
        std::string key(line.substr(0, equals));
        if (key.empty() || key.find_first_of(" \t") != std::string::npos) {
            findings.error(pos, "", fmt::format("{} is no variable name", quote(key)), "write NAME=value");
            continue;
        }
        std::optional<std::string> value;
        if (equals != std::string_view::npos)
            value = std::string(line.substr(equals + 1));
        else if (const auto found = environment.find(key); found != environment.end())
            value = found->second;
        out.push_back({std::move(key), std::move(value), pos});
        if (out.size() < kMaxEntries) continue;
        findings.error(pos, "", fmt::format("more than {} variables", kMaxEntries));
        break;
    }
    return out;
}

}  // namespace compose
