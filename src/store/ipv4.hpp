// IPv4 ranges as numbers, for allocation. The net layer has its own, richer types; siblings share none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace compose::store {

struct Range {
    std::uint32_t first = 0;  // the network address
    std::uint32_t last = 0;   // the broadcast address
    int length = 0;

    [[nodiscard]] bool overlaps(const Range& other) const { return first <= other.last && other.first <= last; }
    [[nodiscard]] bool contains(std::uint32_t address) const { return address >= first && address <= last; }
};

[[nodiscard]] std::optional<std::uint32_t> parse_ipv4(std::string_view text);
[[nodiscard]] std::string format_ipv4(std::uint32_t address);
/// "10.1.0.0/16"; host bits are cleared.
[[nodiscard]] std::optional<Range> parse_range(std::string_view text);
[[nodiscard]] std::string format_range(const Range& range);
[[nodiscard]] Range make_range(std::uint32_t address, int length);

}  // namespace compose::store
