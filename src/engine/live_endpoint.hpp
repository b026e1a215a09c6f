// One more network for a container that exists already.
#pragma once

#include <compose/objects.hpp>

#include "store/store.hpp"

namespace compose::engine {

/// The row of the endpoint, with a free address; the supervisor makes the interface from it.
void attach_endpoint(store::Store& store, const store::Container& container, const store::Network& network,
                     const ConnectOptions& options);

/// Takes the row away; the default route goes to another one. False when there is none.
bool detach_endpoint(store::Store& store, const store::Container& container, const std::string& network_id);

/// To the highest priority; of equal ones to the one that has it, then to the first name. Never to an internal network.
void assign_default_route(store::Store& store, const std::string& container_id);

}  // namespace compose::engine
