// What layers take: those of images, and those that builds keep for the next time.
#pragma once

#include <compose/engine.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace compose {

struct BuildCacheUsage {
    std::size_t steps = 0;
    std::int64_t size = 0;         // of their layers, each once
    std::int64_t reclaimable = 0;  // of those that no image has
};
[[nodiscard]] BuildCacheUsage build_cache_usage(const EngineOptions& options);

struct LayerUsage {
    std::int64_t size = 0;         // of the layers of images, each once
    std::int64_t reclaimable = 0;  // of those that no image in use has
};
[[nodiscard]] LayerUsage layer_usage(const EngineOptions& options, const std::set<std::string>& images_in_use);

/// A step of a build that the next build can find again.
struct BuildCacheEntry {
    std::string id;
    std::string description;  // "RUN make"
    std::int64_t size = 0;
    std::int64_t created_at = 0, used_at = 0;  // nanoseconds since 1970
    bool shared = false;                       // an image has its layer
};
/// The one used longest ago first.
[[nodiscard]] std::vector<BuildCacheEntry> build_cache_entries(const EngineOptions& options);

struct ImageSizes {
    std::int64_t shared = 0, unique = 0;  // of its layers that other images have too, and of the others
};
/// By id.
[[nodiscard]] std::map<std::string, ImageSizes> image_sizes(const EngineOptions& options);

struct PrunedBuildCache {
    std::size_t steps = 0;
    std::int64_t freed = 0;
};
/// Removes the steps that are `wanted`, the one used longest ago first and no more once all take at most `keep` bytes;
/// then layers that nothing needs any more.
PrunedBuildCache prune_build_cache(const EngineOptions& options,
                                   const std::function<bool(const BuildCacheEntry&)>& wanted, std::int64_t keep = 0);

}  // namespace compose
