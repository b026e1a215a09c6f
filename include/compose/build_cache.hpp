// What builds keep for the next time, as `builder prune` and `system df` see it.
#pragma once

#include <compose/engine.hpp>
#include <cstddef>
#include <cstdint>

namespace compose {

struct BuildCacheUsage {
    std::size_t steps = 0;
    std::int64_t size = 0;         // of their layers, each once
    std::int64_t reclaimable = 0;  // of those that no image has
};
[[nodiscard]] BuildCacheUsage build_cache_usage(const EngineOptions& options);

struct PrunedBuildCache {
    std::size_t steps = 0;
    std::int64_t freed = 0;
};
/// Removes the steps used last before `before` (nanoseconds since 1970), then layers that nothing needs any more.
PrunedBuildCache prune_build_cache(const EngineOptions& options, std::int64_t before);

}  // namespace compose
