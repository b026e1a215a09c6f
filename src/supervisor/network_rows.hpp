// What a network's row says, in the words of the net layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "net/bridge.hpp"
#include "net/firewall.hpp"
#include "store/records.hpp"
#include "store/store.hpp"

namespace compose::supervisor {

/// Throw Error when the row holds what is no address.
[[nodiscard]] net::FirewallNetwork firewall_network(const store::Network& row);
/// Are its containers reached by routes to them, in one family at least, and not by ports of the host?
[[nodiscard]] bool is_routed(const store::Network& row);
[[nodiscard]] net::BridgeSpec bridge_of(const store::Network& row);
/// What the names of interfaces begin with in its containers: "eth".
[[nodiscard]] std::string interface_prefix(const store::Network& row);
/// A network that stands on an interface of the host's.
[[nodiscard]] net::StackedLink stacked_link(const store::Network& row);
/// Is what the network's endpoints are connected to there?
[[nodiscard]] bool is_ready(const store::Network& row);
/// Makes the parent of a stacked network again when it is the engine's own. Throws Error(not_found) when the user's is
/// gone.
void ensure_parent(const store::Network& row);
[[nodiscard]] net::EndpointSpec interface_of(const store::Endpoint& endpoint, const store::Network& network);
/// Of one container; `networks`: of the endpoints, in the same order. Where the network of the default route lacks a
/// family, the first other one that leads out has the route of that family.
[[nodiscard]] std::vector<net::EndpointSpec> interfaces_of(std::span<const store::Endpoint> endpoints,
                                                           std::span<const store::Network> networks);

/// What the kernel does with packets on our bridges, after one was made or removed (see net/bridge_filter.hpp).
void settle_bridge_filter(const store::Store& store);

}  // namespace compose::supervisor
