// From the store to a registry: blobs that it lacks, side by side, then the config, then the manifest under its name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "image/outgoing.hpp"
#include "image/registry.hpp"

namespace compose::image {

struct PushProgress {
    enum class Stage { preparing, exists, mounted, pushing, done };
    std::string digest;
    Stage stage = Stage::preparing;
    std::int64_t current = 0;
    std::int64_t total = 0;
};

struct PushOptions {
    std::vector<std::string> mount_from;  // other repositories of the same registry that may have the blobs
    int parallel = 4;
    std::function<void(const PushProgress&)> progress;
};

/// Returns the manifest's digest at the registry.
std::string push_image(Registry& registry, const ContentStore& blobs, const OutgoingImage& image,
                       const PushOptions& options);

}  // namespace compose::image
