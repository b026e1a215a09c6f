// Types of plain scalars.
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "loader/yaml_reader.hpp"

namespace compose {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::optional<std::uint64_t> parse_magnitude(std::string_view digits) {
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
        const char mark = digits[1];
        base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
        digits.remove_prefix(is_digit(mark) ? 1 : 2);
        if (!is_digit(mark) && base == 8 && mark != 'o' && mark != 'O') return std::nullopt;
    }
    if (digits.empty()) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

bool looks_like_float(std::string_view text) {
    std::size_t i = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
    std::size_t digits = 0;
    for (; i < text.size() && is_digit(text[i]); ++i) ++digits;
    if (i < text.size() && text[i] == '.')
        for (++i; i < text.size() && is_digit(text[i]); ++i) ++digits;
    if (digits == 0) return false;
    if (i == text.size()) return true;
    if (text[i] != 'e' && text[i] != 'E') return false;
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (i == text.size()) return false;
    for (; i < text.size(); ++i)
        if (!is_digit(text[i])) return false;
    return true;
}

std::optional<Node> parse_number(std::string_view text, SourcePos pos) {
    std::string plain;
    for (const char c : text)
        if (c != '_') plain += c;
    const bool negative = plain.starts_with('-');
    const std::string_view digits = std::string_view(plain).substr(negative || plain.starts_with('+') ? 1 : 0);
    if (const auto magnitude = digits.empty() || !is_digit(digits[0]) ? std::nullopt : parse_magnitude(digits)) {
        constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        Node node;
        node.pos = pos;
        node.text = text;
        if (*magnitude <= kMax + (negative ? 1 : 0)) {
            node.kind = Node::Kind::integer;
            node.integer = static_cast<std::int64_t>(negative ? ~*magnitude + 1 : *magnitude);
            return node;
        }
        // Beyond 64 signed bits no attribute can use it as a number; as a text it keeps every digit.
        if (!negative) return Node::make_string(std::string(digits), pos);
    }
    if (!looks_like_float(plain)) return std::nullopt;
    Node node;
    node.kind = Node::Kind::real;
    node.pos = pos;
    node.text = text;
    const char* first = plain.data() + (plain.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(first, plain.data() + plain.size(), node.real);
    if (error == std::errc::result_out_of_range) node.real = std::numeric_limits<double>::infinity();
    if (error != std::errc{} && error != std::errc::result_out_of_range) return std::nullopt;
    return node;
}

}  // namespace

Node resolve_plain_scalar(std::string_view text, SourcePos pos) {
    Node node;
    node.pos = pos;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return node;
    if (text == "true" || text == "True" || text == "TRUE") return Node::make_bool(true, pos);
    if (text == "false" || text == "False" || text == "FALSE") return Node::make_bool(false, pos);
    if (text.size() <= 64 && (is_digit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.')) {
        if (auto number = parse_number(text, pos)) return std::move(*number);
        const auto body = text.substr(text[0] == '-' || text[0] == '+' ? 1 : 0);
        const bool infinite = body == ".inf" || body == ".Inf" || body == ".INF";
        if (infinite || text == ".nan" || text == ".NaN" || text == ".NAN") {
            node.kind = Node::Kind::real;
            node.text = text;
            node.real = infinite ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
            if (text[0] == '-') node.real = -node.real;
            return node;
        }
    }
    return Node::make_string(std::string(text), pos);
}

}  // namespace compose
