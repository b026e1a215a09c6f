// driver_opts and ipam of a network, as its row keeps them.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace compose::engine {

inline constexpr const char* kBridgeName = "com.docker.network.bridge.name";

/// Throws Error(invalid) for options that are not known and values that can't be.
[[nodiscard]] std::map<std::string, std::string> network_options(const Network& network);

}  // namespace compose::engine
