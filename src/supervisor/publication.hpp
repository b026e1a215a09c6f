// How a container's ports are published: by rules to the addresses it has, by relays where no rule helps.
#pragma once

#include <span>
#include <vector>

#include "net/firewall.hpp"
#include "store/store.hpp"

namespace compose::supervisor {

/// `networks`: of the endpoints, in the same order. Published ports lead to where the default route comes from. Empty
/// while the container has no address. Throws Error when a row holds what is no address.
[[nodiscard]] std::vector<net::PublishedPort> publications(std::span<const store::PortRecord> ports,
                                                           std::span<const store::Endpoint> endpoints,
                                                           std::span<const store::Network> networks);
/// Of one container, as the database has it.
[[nodiscard]] std::vector<net::PublishedPort> publications(const store::Store& store, const std::string& container_id);

}  // namespace compose::supervisor
