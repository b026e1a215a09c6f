#include "build/variables.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/pattern.hpp"

namespace compose::build {

namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxExpanded = std::size_t{1} << 20U;

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

class Expander {
public:
    Expander(std::string_view text, char escape, const Lookup& lookup, bool keep_quotes, std::size_t depth)
        : text_(text), escape_(escape), lookup_(lookup), keep_quotes_(keep_quotes), depth_(depth) {
        if (depth > kMaxDepth) throw Error("variables are nested too deeply", ErrorKind::invalid);
    }

    Expansion run() {
        while (at_ < text_.size()) {
            step();
            if (out_.text.size() > kMaxExpanded) throw Error("the expanded text is too long", ErrorKind::invalid);
        }
        return std::move(out_);
    }

private:
    void step() {
        const char c = text_[at_];
        if (c == '$') return variable();
        if (c == escape_) return escaped();
        if (!keep_quotes_ && c == '\'') return single_quoted();
        if (!keep_quotes_ && c == '"') return double_quoted();
        out_.text += c;
        ++at_;
    }

    void escaped() {
        ++at_;
        if (at_ == text_.size()) {
            if (keep_quotes_) out_.text += escape_;
            return;
        }
        if (keep_quotes_ && text_[at_] != '$') out_.text += escape_;
        out_.text += text_[at_++];
    }

    void single_quoted() {
        const auto end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos) throw Error("a single quote is not closed", ErrorKind::invalid);
        out_.text += text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
    }

    void double_quoted() {
        for (++at_; at_ < text_.size();) {
            const char c = text_[at_];
            if (c == '"') {
                ++at_;
                return;
            }
            if (c == '$') {
                variable();
            } else if (c == escape_ && at_ + 1 < text_.size()) {
                const char next = text_[at_ + 1];
                if (next != '"' && next != '$' && next != escape_) out_.text += c;
                out_.text += next;
                at_ += 2;
            } else {
                out_.text += c;
                ++at_;
            }
            if (out_.text.size() > kMaxExpanded) throw Error("the expanded text is too long", ErrorKind::invalid);
        }
        throw Error("a double quote is not closed", ErrorKind::invalid);
    }

    void variable() {
        ++at_;
        if (at_ == text_.size() || (!is_name_start(text_[at_]) && text_[at_] != '{')) {
            out_.text += '$';
            return;
        }
        if (text_[at_] != '{') {
            const auto begin = at_;
            while (at_ < text_.size() && is_name(text_[at_])) ++at_;
            return use(std::string(text_.substr(begin, at_ - begin)));
        }
        const auto begin = ++at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        const auto name = std::string(text_.substr(begin, at_ - begin));
        if (name.empty() || at_ == text_.size()) bad_substitution(begin);
        if (text_[at_] == '}') {
            ++at_;
            return use(name);
        }
        const auto modifier = read_modifier();
        const auto word = expand(braced_word(begin));
        apply(name, modifier, word, begin);
    }

    [[noreturn]] void bad_substitution(std::size_t begin) const {
        throw make_error(ErrorKind::invalid, "{} is not a variable", quote("${" + std::string(text_.substr(begin, 40))))
            .with_hint("write ${NAME}, ${NAME:-default} or ${NAME:+replacement}");
    }

    std::string read_modifier() {
        static constexpr std::string_view kModifiers[] = {":-", ":+", ":?", "-", "+",  "?",
                                                          "##", "#",  "%%", "%", "//", "/"};
        for (const auto modifier : kModifiers)
            if (text_.substr(at_).starts_with(modifier)) {
                at_ += modifier.size();
                return std::string(modifier);
            }
        throw make_error(ErrorKind::invalid, "unsupported modifier {} in a variable", quote(text_.substr(at_, 1)))
            .with_hint("use :- :+ :? - + ? # ## % %% / or //");
    }

    /// Up to the brace that closes, raw.
    std::string_view braced_word(std::size_t begin) {
        const auto start = at_;
        int open = 1;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == escape_ && at_ + 1 < text_.size()) {
                ++at_;
            } else if (c == '$' && at_ + 1 < text_.size() && text_[at_ + 1] == '{') {
                ++open;
                ++at_;
            } else if (c == '}' && --open == 0) {
                return text_.substr(start, at_++ - start);
            }
        }
        throw make_error(ErrorKind::invalid, "the brace of {} is not closed",
                         quote("${" + std::string(text_.substr(begin, 40))));
    }

    std::string expand(std::string_view raw) {
        auto inner = Expander(raw, escape_, lookup_, keep_quotes_, depth_ + 1).run();
        word_undefined_ = std::move(inner.undefined);
        return std::move(inner.text);
    }
    void used_word() { out_.undefined.insert(out_.undefined.end(), word_undefined_.begin(), word_undefined_.end()); }

    void use(const std::string& name) {
        const auto value = lookup_(name);
        if (!value) out_.undefined.push_back(name);
        out_.text += value.value_or("");
    }

    void apply(const std::string& name, const std::string& modifier, const std::string& word, std::size_t) {
        const auto value = lookup_(name);
        const bool colon = modifier.starts_with(':');
        const bool set = value && !(colon && value->empty());
        const char kind = modifier.back();
        if (kind == '-') {
            if (!set) used_word();
            out_.text += set ? *value : word;
        } else if (kind == '+') {
            if (set) {
                used_word();
                out_.text += word;
            }
        } else if (kind == '?') {
            if (!set) throw make_error(ErrorKind::invalid, "{}: {}", name, word.empty() ? "is not set" : word);
            out_.text += *value;
        } else {
            if (!value) out_.undefined.push_back(name);
            out_.text += edit(value.value_or(""), modifier, word);
        }
    }

    static std::string edit(const std::string& value, const std::string& modifier, const std::string& word) {
        if (modifier.front() == '/') return replace(value, word, modifier == "//");
        const bool front = modifier.front() == '#';
        const bool longest = modifier.size() == 2;
        // Lengths from the shortest cut to the longest, or the other way round.
        for (std::size_t i = 0; i <= value.size(); ++i) {
            const auto length = longest ? value.size() - i : i;
            const auto part = front ? std::string_view(value).substr(0, length)
                                    : std::string_view(value).substr(value.size() - length);
            if (!match_text(word, part)) continue;
            return front ? value.substr(length) : value.substr(0, value.size() - length);
        }
        return value;
    }

    static std::string replace(const std::string& value, const std::string& word, bool all) {
        const auto slash = std::min(word.find('/'), word.size());
        const auto pattern = word.substr(0, slash);
        const auto with = word.substr(std::min(slash + 1, word.size()));
        if (pattern.empty()) return value;
        std::string out;
        for (std::size_t at = 0; at < value.size();) {
            std::size_t matched = 0;
            for (auto length = value.size() - at; length > 0; --length)
                if (match_text(pattern, std::string_view(value).substr(at, length))) {
                    matched = length;
                    break;
                }
            if (matched == 0) {
                out += value[at++];
                continue;
            }
            out += with;
            at += matched;
            if (!all) return out + value.substr(at);
        }
        return out;
    }

    std::string_view text_;
    char escape_;
    const Lookup& lookup_;
    bool keep_quotes_;
    std::size_t depth_;
    std::size_t at_ = 0;
    Expansion out_;
    std::vector<std::string> word_undefined_;
};

}  // namespace

Expansion expand_word(std::string_view text, char escape, const Lookup& lookup) {
    return Expander(text, escape, lookup, false, 0).run();
}

Expansion expand_body(std::string_view text, char escape, const Lookup& lookup) {
    return Expander(text, escape, lookup, true, 0).run();
}

}  // namespace compose::build
