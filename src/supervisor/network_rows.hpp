// What a network's row says, in the words of the net layer.
#pragma once

#include "net/bridge.hpp"
#include "net/firewall.hpp"
#include "store/records.hpp"

namespace compose::supervisor {

/// Throw Error when the row holds what is no address.
[[nodiscard]] net::FirewallNetwork firewall_network(const store::Network& row);
[[nodiscard]] net::BridgeSpec bridge_of(const store::Network& row);
/// A network that stands on an interface of the host's.
[[nodiscard]] net::StackedLink stacked_link(const store::Network& row);
/// Is what the network's endpoints are connected to there?
[[nodiscard]] bool is_ready(const store::Network& row);
/// Makes the parent of a stacked network again when it is the engine's own. Throws Error(not_found) when the user's is
/// gone.
void ensure_parent(const store::Network& row);
[[nodiscard]] net::EndpointSpec interface_of(const store::Endpoint& endpoint, const store::Network& network);

}  // namespace compose::supervisor
