#include <algorithm>
#include <compose/build_cache.hpp>
#include <map>

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

std::vector<BuildCacheEntry> build_cache_entries(const EngineOptions& options) {
    const store::Store store(prepared(options));
    std::set<std::string> of_images;
    for (const store::Image& image : store.images()) of_images.insert(image.layers.begin(), image.layers.end());
    std::vector<BuildCacheEntry> out;
    for (store::CachedStep& step : store::BuildCache(store.layout()).all())
        out.push_back({.id = std::move(step.key),
                       .description = std::move(step.description),
                       .size = step.size,
                       .created_at = step.created_at,
                       .used_at = step.used_at,
                       .shared = of_images.contains(step.chain_id)});
    return out;
}

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

std::map<std::string, ImageSizes> image_sizes(const EngineOptions& options) {
    const store::Store store(prepared(options));
    const auto images = store.images();
    std::map<std::string, int> users;
    for (const store::Image& image : images)
        for (const std::string& layer : std::set(image.layers.begin(), image.layers.end())) ++users[layer];
    std::map<std::string, ImageSizes> out;
    for (const store::Image& image : images)
        for (const std::string& layer : std::set(image.layers.begin(), image.layers.end())) {
            auto& sizes = out[image.id];
            (users[layer] > 1 ? sizes.shared : sizes.unique) += std::max<std::int64_t>(store.layer_size(layer), 0);
        }
    return out;
}

PrunedBuildCache prune_build_cache(const EngineOptions& options,
                                   const std::function<bool(const BuildCacheEntry&)>& wanted, std::int64_t keep) {
    store::Store store(prepared(options));
    store::BuildCache cache(store.layout());
    const auto entries = build_cache_entries(options);
    std::int64_t total = 0;
    for (const BuildCacheEntry& entry : entries) total += entry.size;
    PrunedBuildCache out;
    for (const BuildCacheEntry& entry : entries) {
        if (keep > 0 && total <= keep) break;
        if (!wanted(entry)) continue;
        cache.remove(entry.id);
        total -= entry.size;
        ++out.steps;
    }
    cache.sync();
    out.freed = engine::collect_garbage(store, true);
    return out;
}

}  // namespace compose
