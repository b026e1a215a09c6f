// What builds elsewhere made, carried by images of a registry: cache_from and cache_to. An image lists, in a label, the
// keys of the steps that its layers are of; whoever pulls it finds those steps as if they had been done here.
#pragma once

#include <string>
#include <vector>

#include "engine/build_shared.hpp"
#include "image/reference.hpp"

namespace compose::engine {

/// The label; it is not inherited from base images.
inline constexpr const char* kCacheLabel = "compose.build.cache";

struct CacheTargets {
    bool in_image = false;                // type=inline: the image that is built carries it
    std::vector<image::Reference> names;  // type=registry: images that do nothing else
};
/// Reads cache_to; of what can't be done it warns. Throws Error(invalid) for a name that is none.
[[nodiscard]] CacheTargets cache_targets(BuildShared& shared);
/// Pulls what cache_from names and remembers its steps for this build. What can't be had is a warning: a build must not
/// depend on it.
void import_caches(BuildShared& shared, store::Store& store);
/// The label's value.
[[nodiscard]] std::string render_cache(const BuiltLayers& built);

}  // namespace compose::engine
