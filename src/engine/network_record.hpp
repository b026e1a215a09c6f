// The row of a network, from its definition: what is known before the database gives it a subnet.
#pragma once

#include <compose/project.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// With an id of its own. Throws Error(invalid) for what can't be.
[[nodiscard]] store::Network network_record(const Network& network, const std::string& project,
                                            const std::string& installation);
/// Labels of the user's, and those that say which project's it is.
[[nodiscard]] store::Labels network_labels(const Network& network, const std::string& project);
/// The database sees to the subnets of IPv4 only. The caller holds the lock under which networks are made.
void check_subnets6(const store::Network& row, const store::Store& store);
/// Throws Error(conflict) when the host has a bridge of that name.
void check_bridge_free(const store::Network& row);
/// The host's routes as "10.0.0.0/8", but for those of the network that is going.
[[nodiscard]] std::vector<std::string> routes_to_avoid(const store::Network* going = nullptr);
/// Finds what a macvlan or ipvlan network is to stand on. Without a parent, a dummy stands in: nothing leads out.
void choose_parent(store::Network& row, const store::Store& store);

}  // namespace compose::engine
