// Where the reader of simple YAML stands in its text, and the steps that need no tree: over blanks, lines, comments,
// names and quotes. What is not simple is given up by an exception, and the full parser takes over.
#pragma once

#include <algorithm>
#include <compose/diagnostics.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "loader/yaml_escapes.hpp"

namespace compose {

/// Thrown to give up.
struct NotSimple {};

[[nodiscard]] inline bool is_flow_indicator(char c) {
    return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
}
[[nodiscard]] inline bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
[[nodiscard]] inline bool is_name_end(char c) {
    return c == ' ' || c == '\n' || c == ',' || c == ']' || c == '}';
}

class SimpleYamlCursor {
protected:
    SimpleYamlCursor(std::string_view text, std::uint32_t file) : text_(text), file_(file) {}

    [[noreturn]] static void give_up() { throw NotSimple{}; }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
    }
    [[nodiscard]] std::size_t column() const { return at_ - line_start_; }
    [[nodiscard]] SourcePos here() const { return {file_, line_, static_cast<std::uint32_t>(column() + 1)}; }
    [[nodiscard]] bool blank_follows(std::size_t ahead) const { return peek(ahead) == ' ' || peek(ahead) == '\n'; }

    void skip_blanks() {
        while (peek() == ' ' && at_ < text_.size()) ++at_;
        if (peek() == '\t') give_up();
    }
    void next_line() {
        ++at_;
        ++line_;
        line_start_ = at_;
    }
    /// At the end of what a line says: over blanks and a comment, to the line's end.
    void finish_line() {
        skip_blanks();
        if (peek() == '#') {
            if (column() > 0 && text_[at_ - 1] != ' ') give_up();
            const auto end = text_.find('\n', at_);
            at_ = end == std::string_view::npos ? text_.size() : end;
        }
        if (at_ < text_.size() && text_[at_] != '\n') give_up();
    }
    /// From the rest of a line, which says nothing more, to the next content or the end of the text.
    void to_content() {
        finish_line();
        while (at_ < text_.size()) {
            next_line();
            if (first_content()) return;
        }
    }
    /// At a line's start: to its content, if it has any; else to its end.
    bool first_content() {
        skip_blanks();
        if (at_ >= text_.size()) return true;
        if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
        if (at_ >= text_.size()) return true;
        if (text_[at_] == '\n') return false;
        const auto start = text_.substr(at_, 3);
        if (column() == 0 && (start[0] == '%' || start == "---" || start == "...")) give_up();
        return true;
    }

    /// Does "key:" begin here?
    [[nodiscard]] bool is_key() const {
        auto i = at_;
        const char first = peek();
        if (first == '"' || first == '\'') {
            for (++i; i < text_.size() && text_[i] != '\n' && text_[i] != first; ++i)
                if (text_[i] == '\\' && first == '"') ++i;
            if (i >= text_.size() || text_[i] != first) return false;
            ++i;
            while (i < text_.size() && text_[i] == ' ') ++i;
            return i < text_.size() && text_[i] == ':' &&
                   (i + 1 >= text_.size() || text_[i + 1] == ' ' || text_[i + 1] == '\n');
        }
        if (first == '[' || first == '{') return false;
        for (; i < text_.size() && text_[i] != '\n'; ++i) {
            if (text_[i] == '#' && i > at_ && text_[i - 1] == ' ') return false;
            if (text_[i] == ':' && (i + 1 >= text_.size() || text_[i + 1] == ' ' || text_[i + 1] == '\n')) return true;
        }
        return false;
    }

    /// A name of plain letters that begins at `start`, read from here on.
    std::string_view name_from(std::size_t start) {
        while (in_name(peek())) ++at_;
        if (!is_name_end(peek())) give_up();
        return text_.substr(start, at_ - start);
    }

    [[nodiscard]] bool goes_on(std::size_t indent) const {
        auto i = text_.find('\n', at_);
        while (i != std::string_view::npos && i + 1 < text_.size()) {
            const auto start = i + 1;
            const auto content = text_.find_first_not_of(' ', start);
            if (content == std::string_view::npos) return false;
            if (text_[content] == '\t') return true;
            if (text_[content] != '\n') return content - start > indent;
            i = content;
        }
        return false;
    }

    void check_plain_start() const {
        const char first = peek();
        static constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`";
        if (kIndicators.find(first) != std::string_view::npos) give_up();
        if ((first == '-' || first == '?' || first == ':') && blank_follows(1)) give_up();
    }

    std::string quoted() {
        const char mark = text_[at_];
        const auto start = ++at_;
        bool special = false;
        for (;; ++at_) {
            if (peek() == '\n') give_up();
            if (text_[at_] == '\\' && mark == '"') {
                special = true;
                ++at_;
            } else if (text_[at_] == mark) {
                if (mark == '"' || peek(1) != '\'') break;
                special = true;
                ++at_;
            }
        }
        const auto raw = text_.substr(start, at_++ - start);
        if (!special) return std::string(raw);
        auto decoded = mark == '"' ? decode_double_quoted(raw) : std::optional(decode_single_quoted(raw));
        if (!decoded) give_up();
        return std::move(*decoded);
    }

    /// Over blanks, line ends and comments.
    void flow_space() {
        for (;;) {
            if (at_ >= text_.size()) give_up();
            if (text_[at_] == ' ')
                ++at_;
            else if (text_[at_] == '\n')
                next_line();
            else if (text_[at_] == '#' && (column() == 0 || text_[at_ - 1] == ' ')) {
                const auto end = text_.find('\n', at_);
                at_ = end == std::string_view::npos ? text_.size() : end;
            } else if (text_[at_] == '\t')
                give_up();
            else if (column() == 0 && (text_.substr(at_, 3) == "---" || text_.substr(at_, 3) == "..."))
                give_up();
            else
                return;
        }
    }

    std::string_view text_;
    std::uint32_t file_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    std::size_t line_start_ = 0;
};

}  // namespace compose
