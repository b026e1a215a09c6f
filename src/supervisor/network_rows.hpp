// What a network's row says, in the words of the net layer.
#pragma once

#include "net/bridge.hpp"
#include "net/firewall.hpp"
#include "store/records.hpp"

namespace compose::supervisor {

/// Throw Error when the row holds what is no address.
[[nodiscard]] net::FirewallNetwork firewall_network(const store::Network& row);
[[nodiscard]] net::BridgeSpec bridge_of(const store::Network& row);
[[nodiscard]] net::EndpointSpec interface_of(const store::Endpoint& endpoint, const store::Network& network);

}  // namespace compose::supervisor
