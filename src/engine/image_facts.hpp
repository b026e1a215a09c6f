// What the engine needs to know of an image to make containers from it.
#pragma once

#include <compose/service.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose::engine {

/// Docker Compose's label with the ids of the images that a container mounts.
inline constexpr const char* kMountedImages = "com.docker.compose.image-volume-digest";

struct ImageFacts {
    std::string id;                        // "sha256:..."
    std::vector<std::string> layers;       // chain ids, lowest first
    std::vector<std::string> environment;  // "K=V"
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;
    std::vector<std::string> shell;    // of CMD-SHELL; empty: /bin/sh -c
    std::vector<std::string> volumes;  // paths
    std::vector<std::string> exposed;  // "80/tcp"
    std::string user;
    std::string working_dir;
    std::string stop_signal;
    std::map<std::string, std::string> labels;  // without those by which the engine knows its own containers
    std::optional<Healthcheck> healthcheck;
};

}  // namespace compose::engine
