#include "image/tar_numbers.hpp"

#include <charconv>
#include <limits>

namespace compose::image {

std::optional<std::int64_t> tar_number(const char* block, std::size_t offset, std::size_t size) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(block + offset);
    if ((bytes[0] & 0x80U) != 0) {
        const bool negative = (bytes[0] & 0x40U) != 0;
        std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
        for (std::size_t i = 0; i < size; ++i) {
            const auto byte =
                i == 0 ? static_cast<unsigned char>(negative ? bytes[0] | 0x80U : bytes[0] & 0x7fU) : bytes[i];
            if (value >> 56U != (negative ? 0xffU : 0U)) return std::nullopt;  // the shift would lose bits
            value = value << 8U | byte;
        }
        const auto result = static_cast<std::int64_t>(value);
        if ((result < 0) != negative) return std::nullopt;
        return result;
    }
    auto text = std::string_view(block + offset, size);
    text = text.substr(0, text.find('\0'));
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (text.empty()) return 0;
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '7' || value > std::numeric_limits<std::int64_t>::max() / 8) return std::nullopt;
        value = value * 8 + (c - '0');
    }
    return value;
}

std::optional<std::int64_t> tar_decimal(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace compose::image
