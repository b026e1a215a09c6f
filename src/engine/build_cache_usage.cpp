#include <algorithm>
#include <compose/build_cache.hpp>
#include <limits>
#include <map>

#include "engine/cache_mounts.hpp"
#include "engine/image_store.hpp"
#include "store/build_cache.hpp"
#include "store/store.hpp"

namespace compose {

namespace {

store::Layout prepared(const EngineOptions& options) {
    store::Layout layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    return layout;
}

}  // namespace

BuildCacheUsage build_cache_usage(const EngineOptions& options) {
    const store::Store store(prepared(options));
    std::set<std::string> of_images, seen;
    for (const store::Image& image : store.images()) of_images.insert(image.layers.begin(), image.layers.end());
    BuildCacheUsage usage;
    for (const store::CachedStep& step : store::BuildCache(store.layout()).all()) {
        ++usage.steps;
        if (step.chain_id.empty() || !seen.insert(step.chain_id).second) continue;
        usage.size += step.size;
        if (!of_images.contains(step.chain_id)) usage.reclaimable += step.size;
    }
    const auto mounts = engine::cache_mounts_size(store.layout());
    usage.size += mounts;
    usage.reclaimable += mounts;
    return usage;
}

LayerUsage layer_usage(const EngineOptions& options, const std::set<std::string>& images_in_use) {
    const store::Store store(prepared(options));
    std::map<std::string, bool> layers;  // whether an image in use has it
    for (const store::Image& image : store.images())
        for (const std::string& layer : image.layers) {
            bool& used = layers[layer];
            used = used || images_in_use.contains(image.id);
        }
    LayerUsage usage;
    for (const auto& [layer, used] : layers) {
        const std::int64_t size = std::max<std::int64_t>(store.layer_size(layer), 0);
        usage.size += size;
        if (!used) usage.reclaimable += size;
    }
    return usage;
}

PrunedBuildCache prune_build_cache(const EngineOptions& options, std::int64_t before) {
    PrunedBuildCache out;
    const auto layout = prepared(options);
    // First of all: the disk may be so full that no row can be removed.
    const auto mounts = engine::prune_cache_mounts(layout, before);
    store::Store store(layout);
    store::BuildCache cache(layout);
    out.steps = cache.trim(before, std::numeric_limits<std::int64_t>::max());
    cache.sync();
    out.freed = mounts + engine::collect_garbage(store, true);
    return out;
}

}  // namespace compose
