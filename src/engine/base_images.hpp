// Images that something is to be made from: in the store, or fetched into it.
#pragma once

#include <compose/events.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/registry_access.hpp"
#include "image/pull.hpp"
#include "image/reference.hpp"
#include "store/store.hpp"

namespace compose::engine {

enum class PullWhen {
    always,   // ask the registry, whatever is here
    missing,  // only when it is not here
    never,    // an Error when it is not here
};

/// Finds or pulls. `reference` is a name, a name with a digest or an id; `platform` is empty for this machine's. Tells
/// `events` of a pull under "Image NAME" and, one per layer, under the layer's short digest. Hold an image::LayerLease
/// while nothing but the returned row keeps the layers.
[[nodiscard]] store::Image ensure_image(store::Store& store, const store::Layout& layout, EventSink& events,
                                        const std::string& reference, PullWhen when, const std::string& platform = {},
                                        std::stop_token cancel = {});

struct PullRequest {
    image::Reference reference;
    std::string platform{};  // empty: DOCKER_DEFAULT_PLATFORM, else this machine's
    bool show_layers = true;
    bool failure_is_warning = false;  // for the events: something else may be done instead
    std::string event_id{};           // empty: "Image NAME"
};
struct PullResult {
    store::Image image;
    std::string digest;   // of what the name stands for
    bool changed = true;  // false: the name stood for this image already
};
/// Asks the registry and brings the store up to date.
[[nodiscard]] PullResult pull_into_store(store::Store& store, EventSink& events, RegistryAccess& access,
                                         const PullRequest& request);
/// Tells what pull_into_store() would, and only asks the registry whether it has the image.
void pull_dry(EventSink& events, RegistryAccess& access, const PullRequest& request);

/// Writes the rows of an image whose layers lie on the disk. `name` (may be null) gets to stand for it.
store::Image record_image(store::Store& store, const image::StoredImage& stored, const image::Reference* name,
                          bool pulled);
/// Throws not_found when the image is for another one than `platform` (empty: whatever it is for).
void check_platform(const store::Image& image, const std::string& platform);
/// The platform of a stored image's config.
[[nodiscard]] image::Platform platform_of(const store::Image& image);

}  // namespace compose::engine
