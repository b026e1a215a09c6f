#include "loader/expand.hpp"

#include <fmt/format.h>

namespace compose {

namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxResult = std::size_t{4} << 20U;

bool starts_name(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool in_name(char c) {
    return starts_name(c) || (c >= '0' && c <= '9');
}

class Expander {
public:
    Expander(std::string_view text, const VariableLookup& lookup, const ExpandHooks& hooks)
        : text_(text), lookup_(lookup), hooks_(hooks) {}

    std::string run() {
        std::string out;
        word(&out, false);
        return out;
    }

private:
    [[noreturn]] void fail(ExpandFailure::Kind kind, std::size_t offset, std::string message) const {
        throw ExpandFailure{kind, offset, std::move(message)};
    }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    void append(std::string* out, std::string_view part) const {
        if (out == nullptr) return;
        if (out->size() + part.size() > kMaxResult)
            fail(ExpandFailure::Kind::too_large, at_, fmt::format("the value grows beyond {} MiB", kMaxResult >> 20U));
        out->append(part);
    }

    /// Up to the end of the text, or to the `}` that ends the expression around; without `out` it is only checked.
    void word(std::string* out, bool in_braces) {
        std::size_t open = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '$') {
                dollar(out);
                continue;
            }
            if (in_braces && c == '}' && open-- == 0) return;
            if (in_braces && c == '{') ++open;
            append(out, text_.substr(at_++, 1));
        }
    }

    void dollar(std::string* out) {
        if (peek(1) == '$') {
            append(out, "$");
            at_ += 2;
        } else if (peek(1) == '{') {
            const auto start = at_;
            at_ += 2;
            if (++depth_ > kMaxDepth)
                fail(ExpandFailure::Kind::too_deep, start,
                     fmt::format("expressions nest more than {} deep", kMaxDepth));
            braced(out, start);
            --depth_;
        } else if (starts_name(peek(1))) {
            const auto start = at_++;
            const auto name = read_name();
            plain_value(out, name, start);
        } else {
            append(out, "$");
            ++at_;
        }
    }

    std::string_view read_name() {
        const auto start = at_;
        while (at_ < text_.size() && (at_ == start ? starts_name(text_[at_]) : in_name(text_[at_]))) ++at_;
        return text_.substr(start, at_ - start);
    }

    void plain_value(std::string* out, std::string_view name, std::size_t start) const {
        if (out == nullptr) return;
        if (const auto* value = lookup_(std::string(name)))
            append(out, *value);
        else if (hooks_.unset)
            hooks_.unset(name, start);
    }

    void braced(std::string* out, std::size_t start) {
        const auto name = read_name();
        if (name.empty()) fail(ExpandFailure::Kind::malformed, start, "a variable name has to follow ${");
        const bool colon = peek() == ':';
        const char operation = peek(colon ? 1 : 0);
        if (!colon && operation == '}') {
            ++at_;
            plain_value(out, name, start);
            return;
        }
        if (operation != '-' && operation != '+' && operation != '?')
            fail(ExpandFailure::Kind::malformed, start,
                 at_ >= text_.size() ? "the expression has no closing }" : "unknown expression");
        at_ += colon ? 2 : 1;
        const auto* value = out == nullptr ? nullptr : lookup_(std::string(name));
        const bool present = value != nullptr && !(colon && value->empty());
        const bool word_counts = out != nullptr && present == (operation == '+');
        std::string message;
        word(!word_counts ? nullptr : operation == '?' ? &message : out, true);
        if (peek() != '}') fail(ExpandFailure::Kind::malformed, start, "the expression has no closing }");
        ++at_;
        if (out == nullptr || operation == '+') return;
        if (present)
            append(out, *value);
        else if (operation == '?')
            fail(
                ExpandFailure::Kind::required, start,
                fmt::format("required variable {} is missing a value{}{}", name, message.empty() ? "" : ": ", message));
    }

    std::string_view text_;
    const VariableLookup& lookup_;
    const ExpandHooks& hooks_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
};

}  // namespace

std::string expand(std::string_view text, const VariableLookup& lookup, const ExpandHooks& hooks) {
    return Expander(text, lookup, hooks).run();
}

}  // namespace compose
