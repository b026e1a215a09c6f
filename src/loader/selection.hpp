// Which services take part: profiles, services named on the command line, and the networks, volumes, configs, secrets
// and models that those use.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/load.hpp>
#include <set>
#include <string>
#include <vector>

#include "model/node.hpp"

namespace compose {

/// Names of the services that the profiles, and being named, turn on. A named service that does not exist is reported.
[[nodiscard]] std::set<std::string> active_services(const Node& root, const LoadRequest& request,
                                                    const std::vector<std::string>& profiles, Diagnostics& findings);

/// `active` and all that they depend on.
[[nodiscard]] std::set<std::string> with_dependencies(const Node& root, const std::vector<std::string>& services);

/// Takes the services that are not in `active` out of the tree and returns them as a mapping.
[[nodiscard]] Node split_services(Node& root, const std::set<std::string>& active);

/// Removes the top-level resources that no service of the tree uses.
void remove_unused_resources(Node& root);

}  // namespace compose
