// The subnets of a network: what ipam.config says of them, and the addresses that come out of them.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/pools.hpp"

namespace compose::engine {

/// Writes into the options of the network's row what ipam.config says, but for `subnet` and `gateway` of the first pool
/// of IPv4, which are columns. Throws Error(invalid) for what can't be: an address outside of its subnet, two subnets
/// that overlap, a family that is off.
void set_pools(const Network& network, std::map<std::string, std::string>& out);
/// The first pool of that family, if there is one with a subnet; null: none.
[[nodiscard]] const IpamPool* pool_of(const Network& network, bool ipv6);
/// A subnet of the private sort (fd00::/8) for a network that names none; from its id, which is random.
[[nodiscard]] std::string private_subnet6(const std::string& network_id);
/// The IPv6 address that goes with an IPv4 address of the network, or `wanted`; empty when the network has none.
/// `taken`: those of other containers. Throws Error.
[[nodiscard]] std::string choose_address6(const store::Network& network, const std::string& address4,
                                          const std::string& wanted, const std::vector<std::string>& taken);
/// The pool in whose subnet the address lies.
[[nodiscard]] std::optional<store::Pool> pool_with(const store::Network& network, const std::string& address);
/// Gives each gateway, range and reserved address to the pool that it lies in. Throws Error(usage) when there is none.
void place_in_pools(const std::vector<std::string>& gateways, const std::vector<std::string>& ranges,
                    const std::map<std::string, std::string>& aux_addresses, std::vector<IpamPool>& pools);

}  // namespace compose::engine
