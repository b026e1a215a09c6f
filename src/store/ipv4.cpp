#include "store/ipv4.hpp"

#include <charconv>

#include <fmt/format.h>

namespace compose::store {

namespace {

/// Decimal without sign or leading zeros (which some readers take as octal).
std::optional<int> parse_small(std::string_view text, int limit) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    int value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value < 0 || value > limit) return std::nullopt;
    return value;
}

}  // namespace

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        const auto dot = part < 3 ? text.find('.') : text.size();
        if (dot == std::string_view::npos) return std::nullopt;
        const auto byte = parse_small(text.substr(0, dot), 255);
        if (!byte) return std::nullopt;
        value = value << 8U | static_cast<std::uint32_t>(*byte);
        text.remove_prefix(part < 3 ? dot + 1 : dot);
    }
    return value;
}

std::string format_ipv4(std::uint32_t address) {
    return fmt::format("{}.{}.{}.{}", address >> 24U, address >> 16U & 255U, address >> 8U & 255U, address & 255U);
}

Range make_range(std::uint32_t address, int length) {
    const std::uint32_t host = length == 0 ? 0xffffffffU : (std::uint32_t{1} << (32 - length)) - 1U;
    return {.first = address & ~host, .last = address | host, .length = length};
}

std::optional<Range> parse_range(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = parse_ipv4(text.substr(0, slash));
    const auto length = parse_small(text.substr(slash + 1), 32);
    if (!address || !length) return std::nullopt;
    return make_range(*address, *length);
}

std::string format_range(const Range& range) {
    return fmt::format("{}/{}", format_ipv4(range.first), range.length);
}

}  // namespace compose::store
