#include "loader/yaml_escapes.hpp"

#include <charconv>
#include <cstdint>

namespace compose {

namespace {

void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0U | (point >> 6U));
        put(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        put(0xE0U | (point >> 12U));
        put(0x80U | ((point >> 6U) & 0x3FU));
        put(0x80U | (point & 0x3FU));
    } else {
        put(0xF0U | (point >> 18U));
        put(0x80U | ((point >> 12U) & 0x3FU));
        put(0x80U | ((point >> 6U) & 0x3FU));
        put(0x80U | (point & 0x3FU));
    }
}

std::optional<std::uint32_t> take_hex(std::string_view& rest, std::size_t digits) {
    if (rest.size() < digits) return std::nullopt;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, value, 16);
    if (error != std::errc{} || end != rest.data() + digits) return std::nullopt;
    rest.remove_prefix(digits);
    return value;
}

std::optional<std::uint32_t> take_code_point(std::string_view& rest, std::size_t digits) {
    auto point = take_hex(rest, digits);
    if (!point) return std::nullopt;
    if (digits == 4 && *point >= 0xD800 && *point < 0xDC00 && rest.starts_with("\\u")) {
        rest.remove_prefix(2);
        const auto low = take_hex(rest, 4);
        if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
        return 0x10000U + ((*point - 0xD800U) << 10U) + (*low - 0xDC00U);
    }
    if ((*point >= 0xD800 && *point <= 0xDFFF) || *point > 0x10FFFF) return std::nullopt;
    return point;
}

}  // namespace

std::optional<std::string> decode_double_quoted(std::string_view rest) {
    static constexpr std::string_view kNames = "0abtnvfre \"/\\";
    static constexpr std::string_view kValues("\0\a\b\t\n\v\f\r\x1b \"/\\", 13);
    std::string out;
    while (!rest.empty()) {
        const auto plain = rest.substr(0, rest.find('\\'));
        out += plain;
        rest.remove_prefix(plain.size());
        if (rest.empty()) break;
        if (rest.size() < 2) return std::nullopt;
        const char name = rest[1];
        rest.remove_prefix(2);
        if (const auto known = kNames.find(name); known != std::string_view::npos) {
            out += kValues[known];
            continue;
        }
        std::optional<std::uint32_t> point;
        switch (name) {
            case 'N':
                point = 0x85;
                break;
            case '_':
                point = 0xA0;
                break;
            case 'L':
                point = 0x2028;
                break;
            case 'P':
                point = 0x2029;
                break;
            case 'x':
                point = take_code_point(rest, 2);
                break;
            case 'u':
                point = take_code_point(rest, 4);
                break;
            case 'U':
                point = take_code_point(rest, 8);
                break;
            default:
                break;
        }
        if (!point) return std::nullopt;
        append_utf8(out, *point);
    }
    return out;
}

std::string decode_single_quoted(std::string_view raw) {
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        out += raw[i];
        if (raw[i] == '\'') ++i;
    }
    return out;
}

}  // namespace compose
