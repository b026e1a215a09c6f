// What was asked for when a container was made, in the terms of Docker's API: {"Config": {...}, "HostConfig": {...}}.
// It is kept with the container, so that `inspect` can tell entrypoint and command, binds and mounts, apart again.
#pragma once

#include <compose/service.hpp>
#include <map>
#include <string>
#include <vector>

#include "engine/image_facts.hpp"

namespace compose::engine {

/// JSON; `volume_names` by mount target. Only what does not change later: limits and restart policies are read where
/// `update` writes them.
[[nodiscard]] std::string container_request(const Service& service, const ImageFacts& image,
                                            const std::map<std::string, std::string>& volume_names);

struct RequestedCommand {
    std::vector<std::string> entrypoint, command;
};
[[nodiscard]] RequestedCommand requested_command(const std::string& request);

}  // namespace compose::engine
