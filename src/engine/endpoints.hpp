// Where a container meets its networks: order, names, default route. Addresses are allocated later, by the store.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

struct PlannedEndpoint {
    store::Endpoint endpoint;  // address and mac still empty, unless fixed
    const store::Network* network = nullptr;
    std::string wanted_address;  // ipv4_address, or empty
    std::string wanted_address6;
};

/// `networks`: the rows by key of Project::networks. Interfaces are numbered by priority, highest first, then by
/// network name; the default route goes to the highest gw_priority, then the first name, but never to an internal
/// network.
[[nodiscard]] std::vector<PlannedEndpoint> plan_endpoints(const Service& service, const std::string& container_id,
                                                          const std::string& container_name,
                                                          const std::map<std::string, store::Network>& networks);

/// The lowest that makes a name which is not among `names`; it is afterwards.
[[nodiscard]] int free_number(const std::string& prefix, std::set<std::string>& names);

/// Free addresses of its network, or the wanted ones, and the MAC address that goes with them. Part of a transaction.
void give_addresses(const store::Store& store, PlannedEndpoint& planned);

}  // namespace compose::engine
