#include "base/template_lexer.hpp"

#include <algorithm>
#include <charconv>

#include "base/strings.hpp"

namespace compose::tpl {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (static_cast<unsigned char>(c) & 0x80U) != 0;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    std::vector<Token> run() {
        while (at_ < text_.size()) {
            const std::size_t open = text_.find("{{", at_);
            take_text(open == std::string_view::npos ? text_.size() : open);
            if (open != std::string_view::npos) action();
        }
        add(Token::Kind::end);
        return std::move(tokens_);
    }

private:
    [[nodiscard]] Place place_of(std::size_t at) const {
        const std::string_view before = text_.substr(0, at);
        const std::size_t line_start = before.rfind('\n');
        return {static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
                line_start == std::string_view::npos ? at + 1 : at - line_start};
    }
    [[nodiscard]] Place here() const { return place_of(at_); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    Token& add(Token::Kind kind) {
        Token token;
        token.kind = kind;
        token.place = here();
        tokens_.push_back(std::move(token));
        return tokens_.back();
    }

    void take_text(std::size_t end) {
        std::string_view piece = text_.substr(at_, end - at_);
        if (trim_next_)
            while (!piece.empty() && is_space(piece.front())) piece.remove_prefix(1);
        const bool trims = text_.substr(end).starts_with("{{-") && end + 3 < text_.size() && is_space(text_[end + 3]);
        if (trims)
            while (!piece.empty() && is_space(piece.back())) piece.remove_suffix(1);
        trim_next_ = false;
        if (!piece.empty()) add(Token::Kind::text).text = piece;
        at_ = end;
    }

    void action() {
        const Place opened = here();
        add(Token::Kind::open);
        at_ += 2;
        if (peek() == '-' && is_space(peek(1))) ++at_;
        std::size_t comment = at_;
        while (comment < text_.size() && is_space(text_[comment])) ++comment;
        if (text_.substr(comment).starts_with("/*")) return skip_comment(opened, comment);
        bool glued = false;
        while (true) {
            if (at_ >= text_.size()) fail(opened, "this action has no end: }}}} is missing");
            if (is_space(peek())) {
                if (peek(1) == '-' && text_.substr(at_ + 2).starts_with("}}")) {
                    trim_next_ = true;
                    at_ += 2;
                    continue;
                }
                glued = false;
                ++at_;
                continue;
            }
            if (text_.substr(at_).starts_with("}}")) break;
            const std::size_t before = tokens_.size();
            word();
            if (tokens_.size() > before) tokens_[before].glued = glued;
            glued = true;
        }
        add(Token::Kind::close);
        at_ += 2;
    }

    void skip_comment(Place opened, std::size_t comment) {
        const std::size_t end = text_.find("*/", comment + 2);
        if (end == std::string_view::npos) fail(opened, "this comment has no end");
        at_ = end + 2;
        if (text_.substr(at_).starts_with(" -}}")) {
            trim_next_ = true;
            at_ += 2;
        }
        if (!text_.substr(at_).starts_with("}}")) fail(here(), "a comment must stand alone between {{{{ and }}}}");
        at_ += 2;
        tokens_.pop_back();
    }

    std::string_view name() {
        const std::size_t start = at_;
        while (is_name(peek()) && at_ < text_.size()) ++at_;
        return text_.substr(start, at_ - start);
    }

    void single(Token::Kind kind, std::size_t length = 1) {
        add(kind);
        at_ += length;
    }

    void word() {
        const char c = peek();
        if (c == '.' && is_name(peek(1)) && !is_digit(peek(1))) {
            Token& token = add(Token::Kind::field);
            ++at_;
            token.text = name();
        } else if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && is_digit(peek(1)))) {
            number();
        } else if (c == '.') {
            single(Token::Kind::dot);
        } else if (c == '$') {
            Token& token = add(Token::Kind::variable);
            ++at_;
            token.text = "$" + std::string(name());
        } else if (is_name(c)) {
            Token& token = add(Token::Kind::word);
            token.text = name();
        } else if (c == '"') {
            quoted();
        } else if (c == '`') {
            raw();
        } else if (c == '\'') {
            fail(here(), "a text stands in double quotes or backquotes");
        } else {
            punctuation(c);
        }
    }

    void punctuation(char c) {
        if (c == '|') return single(Token::Kind::pipe);
        if (c == '(') return single(Token::Kind::left);
        if (c == ')') return single(Token::Kind::right);
        if (c == ',') return single(Token::Kind::comma);
        if (c == ':' && peek(1) == '=') return single(Token::Kind::declare, 2);
        if (c == '=') return single(Token::Kind::set);
        fail(here(), "unexpected {}", quote(std::string_view(&c, 1)));
    }

    void number() {
        Token& token = add(Token::Kind::constant);
        const std::size_t start = at_++;
        while (is_name(peek()) || peek() == '.') ++at_;
        std::string_view digits = text_.substr(start, at_ - start);
        if (digits.front() == '+') digits.remove_prefix(1);
        const char* const end = digits.data() + digits.size();
        std::int64_t whole = 0;
        double real = 0;
        if (const auto r = std::from_chars(digits.data(), end, whole); r.ec == std::errc{} && r.ptr == end)
            token.constant = whole;
        else if (const auto f = std::from_chars(digits.data(), end, real); f.ec == std::errc{} && f.ptr == end)
            token.constant = real;
        else
            fail(token.place, "{} is not a number", quote(digits));
    }

    void quoted() {
        Token& token = add(Token::Kind::constant);
        std::string text;
        for (++at_; peek() != '"'; ++at_) {
            if (at_ >= text_.size() || peek() == '\n') fail(token.place, "this text has no end: a \" is missing");
            if (peek() != '\\') {
                text += peek();
                continue;
            }
            ++at_;
            constexpr std::string_view kFrom = "ntr\\\"'", kTo = "\n\t\r\\\"'";
            const std::size_t known = at_ < text_.size() ? kFrom.find(peek()) : std::string_view::npos;
            if (known == std::string_view::npos) fail(here(), "unknown escape in a text");
            text += kTo[known];
        }
        ++at_;
        token.constant = text;
    }

    void raw() {
        Token& token = add(Token::Kind::constant);
        const std::size_t end = text_.find('`', at_ + 1);
        if (end == std::string_view::npos) fail(token.place, "this text has no end: a ` is missing");
        token.constant = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool trim_next_ = false;
    std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
    if (text.size() > kMaxText) fail({}, "longer than {} bytes", kMaxText);
    if (!is_valid_utf8(text)) fail({}, "not UTF-8");
    return Lexer(text).run();
}

}  // namespace compose::tpl
