// The rules of subnets, without the database.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/ipv4.hpp"

namespace compose::store {

/// The first of Docker's default pools that overlaps neither `used` nor `avoid` (route texts; others are ignored).
[[nodiscard]] Range choose_subnet(const std::vector<Range>& used, std::span<const std::string> avoid);
/// Throws Error(invalid) unless it is a network address with room for a gateway and a container.
[[nodiscard]] Range check_subnet(const std::string& text);
/// The gateway; the first host address when `text` is empty.
[[nodiscard]] std::uint32_t check_gateway(const Range& subnet, const std::string& text);

}  // namespace compose::store
