// How a container's ports are published: by rules to the addresses it has, by relays where no rule helps.
#pragma once

#include <span>
#include <vector>

#include "net/firewall.hpp"
#include "store/store.hpp"
#include "supervisor/host_ports.hpp"

namespace compose::supervisor {

/// The networks of the endpoints, in the same order. Throws Error(not_found).
[[nodiscard]] std::vector<store::Network> networks_of(const store::Store& store,
                                                      std::span<const store::Endpoint> endpoints);
/// What the container has taken and what it has open. Published ports lead to where the default route comes from. Empty
/// while the container has no address. Throws Error when a row holds what is no address.
[[nodiscard]] std::vector<net::PublishedPort> publications(const store::Store& store, const std::string& container_id,
                                                           std::span<const store::Endpoint> endpoints,
                                                           std::span<const store::Network> networks);
/// The same, with its endpoints as the database has them.
[[nodiscard]] std::vector<net::PublishedPort> publications(const store::Store& store, const std::string& container_id);
/// The wishes that need ports of this host: none where all networks stand on its interfaces, and only one family's
/// where the other is reached by routes. There must be an endpoint.
[[nodiscard]] std::vector<PortWish> host_wishes(std::vector<PortWish> wishes,
                                                std::span<const store::Endpoint> endpoints,
                                                std::span<const store::Network> networks);

}  // namespace compose::supervisor
