#include "engine/default_bridge.hpp"

#include <algorithm>
#include <compose/objects.hpp>

namespace compose::engine {
namespace {

constexpr const char* kMode = "bridge";

}  // namespace

bool uses_default_bridge(const Project& project) {
    return std::any_of(project.services.begin(), project.services.end(),
                       [](const auto& entry) { return entry.second.network_mode == kMode; });
}

Project with_default_bridge(Project project) {
    if (!uses_default_bridge(project)) return project;
    // A key that no file can have, since it has a blank.
    const std::string key = "the default bridge";
    Network network;
    network.key = key;
    network.name = kBridgeNetwork;
    network.external = true;
    project.networks.emplace(key, std::move(network));
    for (auto& [name, service] : project.services) {
        if (service.network_mode != kMode) continue;
        service.network_mode.clear();
        service.networks.emplace_back().network = key;
    }
    return project;
}

}  // namespace compose::engine
