// driver_opts and ipam of a network, as its row keeps them.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace compose::engine {

inline constexpr const char* kBridgeName = "com.docker.network.bridge.name";

/// Throws Error(invalid) for options that are not known and values that can't be.
[[nodiscard]] std::map<std::string, std::string> network_options(const Network& network);
/// The first pool of that family; null: none.
[[nodiscard]] const IpamPool* pool_of(const Network& network, bool ipv6);
/// A subnet of the private sort (fd00::/8) for a network that names none; from its id, which is random.
[[nodiscard]] std::string private_subnet6(const std::string& network_id);
/// The IPv6 address that goes with an IPv4 address of the network, or `wanted`; empty when the network has none.
/// `taken`: those of other containers. Throws Error.
[[nodiscard]] std::string choose_address6(const store::Network& network, const std::string& address4,
                                          const std::string& wanted, const std::vector<std::string>& taken);
/// The host address that ports are published on when they name none; empty: all.
[[nodiscard]] std::string host_binding(const Project& project, const Service& service);

}  // namespace compose::engine
