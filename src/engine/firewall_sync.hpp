// The firewall as the store says it should be: for when somebody flushed the host's ruleset behind our back.
#pragma once

#include <string>
#include <vector>

#include "net/firewall.hpp"
#include "store/store.hpp"

namespace compose::engine {

[[nodiscard]] net::Firewall firewall_of(const store::Store& store);
[[nodiscard]] net::FirewallNetwork firewall_network(const store::Network& row);
/// What the container publishes now; empty unless it runs.
[[nodiscard]] std::vector<net::PublishedPort> published_ports(const store::Store& store, const std::string& id);
/// Puts every network and port of the installation back if the table is missing or damaged. Cheap when it is not.
void repair_firewall(const store::Store& store);

}  // namespace compose::engine
