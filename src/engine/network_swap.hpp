// One network takes the place of another in the database, and the containers on it come along: they stay what they are,
// with new addresses where the old ones don't fit.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// The addresses that are other ones for a container, the host's on the network included.
struct Readdressed {
    std::string container_id;
    std::map<std::string, std::string> addresses;  // old -> new
};

/// Part of a transaction, under the lock under which networks are made. `fresh` gets its subnet. Throws Error when a
/// container on the old one still runs, or when the new one has no place for it.
std::vector<Readdressed> take_place(store::Store& store, const store::Network& old, store::Network& fresh);

/// Throws what take_place() would throw, but for containers that run. `leaving`: ids of those that are gone by then.
void check_take_place(store::Store& store, const store::Network& old, store::Network fresh,
                      const std::set<std::string>& leaving);

/// The container's own names, and host-gateway, in its hosts file.
void rewrite_hosts(const std::string& container_folder, const Readdressed& change);

}  // namespace compose::engine
