// What layers take: those of images, and those that builds keep for the next time.
#pragma once

#include <compose/engine.hpp>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace compose {

struct BuildCacheUsage {
    std::size_t steps = 0;
    std::int64_t size = 0;         // of their layers, each once, and of the caches that RUN mounts
    std::int64_t reclaimable = 0;  // without layers that an image has
};
[[nodiscard]] BuildCacheUsage build_cache_usage(const EngineOptions& options);

struct LayerUsage {
    std::int64_t size = 0;         // of the layers of images, each once
    std::int64_t reclaimable = 0;  // of those that no image in use has
};
[[nodiscard]] LayerUsage layer_usage(const EngineOptions& options, const std::set<std::string>& images_in_use);

struct PrunedBuildCache {
    std::size_t steps = 0;
    std::int64_t freed = 0;
};
/// Removes the steps and the caches of RUN --mount=type=cache used last before `before` (nanoseconds since 1970), then
/// layers that nothing needs any more.
PrunedBuildCache prune_build_cache(const EngineOptions& options, std::int64_t before);

}  // namespace compose
