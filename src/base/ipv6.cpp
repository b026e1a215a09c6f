#include "base/ipv6.hpp"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace compose {
namespace {

constexpr std::size_t kGroups = 8;

std::optional<unsigned> parse_number(std::string_view text, int base, std::size_t longest, unsigned limit) {
    if (text.empty() || text.size() > longest) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || value > limit) return std::nullopt;
    return value;
}

// "192.0.2.1": the last two groups.
bool append_dotted(std::string_view text, std::vector<unsigned>& groups) {
    const auto parts = split(text, '.');
    if (parts.size() != 4) return false;
    std::array<unsigned, 4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = parse_number(parts[i], 10, 3, 255);
        if (!byte || (parts[i].size() > 1 && parts[i][0] == '0')) return false;
        bytes[i] = *byte;
    }
    groups.push_back(bytes[0] << 8U | bytes[1]);
    groups.push_back(bytes[2] << 8U | bytes[3]);
    return true;
}

// One side of the "::", or the whole; only the last part of an address may be dotted.
bool append_groups(std::string_view text, bool last, std::vector<unsigned>& groups) {
    if (text.empty()) return true;
    const auto parts = split(text, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (last && i + 1 == parts.size() && parts[i].find('.') != std::string::npos)
            return append_dotted(parts[i], groups);
        const auto group = parse_number(parts[i], 16, 4, 0xffff);
        if (!group) return false;
        groups.push_back(*group);
    }
    return true;
}

// The first of the longest runs of zeros, if that has at least two; else an empty one behind the end.
struct Run {
    std::size_t begin = kGroups, size = 0;
};
Run longest_zeros(const std::array<unsigned, kGroups>& groups) {
    Run best;
    for (std::size_t i = 0; i < kGroups; ++i) {
        std::size_t size = 0;
        while (i + size < kGroups && groups[i + size] == 0) ++size;
        if (size >= 2 && size > best.size) best = {i, size};
    }
    return best;
}

}  // namespace

std::optional<Ipv6Bytes> parse_ipv6(std::string_view text) {
    const auto gap = text.find("::");
    std::vector<unsigned> before;
    std::vector<unsigned> after;
    const bool whole = gap == std::string_view::npos;
    if (text.empty() || !append_groups(text.substr(0, gap), whole, before)) return std::nullopt;
    if (!whole && !append_groups(text.substr(gap + 2), true, after)) return std::nullopt;
    const std::size_t given = before.size() + after.size();
    if (whole ? given != kGroups : given >= kGroups) return std::nullopt;
    before.resize(kGroups - after.size());
    before.insert(before.end(), after.begin(), after.end());
    Ipv6Bytes bytes{};
    for (std::size_t i = 0; i < kGroups; ++i) {
        bytes[2 * i] = static_cast<std::uint8_t>(before[i] >> 8U);
        bytes[2 * i + 1] = static_cast<std::uint8_t>(before[i] & 255U);
    }
    return bytes;
}

std::string format_ipv6(const Ipv6Bytes& address) {
    std::array<unsigned, kGroups> groups{};
    for (std::size_t i = 0; i < kGroups; ++i)
        groups[i] = static_cast<unsigned>(address[2 * i]) << 8U | address[2 * i + 1];
    const Run zeros = longest_zeros(groups);
    // An IPv4 address in the form of IPv6 shows as one.
    const bool dotted = zeros.begin == 0 && (zeros.size == 6 || (zeros.size == 5 && groups[5] == 0xffff));
    std::string text;
    for (std::size_t i = 0; i < kGroups; ++i) {
        if (i == zeros.begin) text += "::";
        if (i >= zeros.begin && i < zeros.begin + zeros.size) continue;
        if (!text.empty() && text.back() != ':') text += ':';
        if (dotted && i == 6)
            return text + fmt::format("{}.{}.{}.{}", address[12], address[13], address[14], address[15]);
        text += fmt::format("{:x}", groups[i]);
    }
    return text;
}

std::string canonical_address(const std::string& text) {
    std::string_view bare = text;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    const auto address = parse_ipv6(bare);
    return address ? format_ipv6(*address) : text;
}

}  // namespace compose
