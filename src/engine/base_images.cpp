#include "engine/base_images.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "engine/image_catalog.hpp"
#include "engine/image_store.hpp"
#include "engine/layer_reporter.hpp"
#include "image/config.hpp"
#include "image/layer.hpp"
#include "sys/clock.hpp"
#include "sys/env.hpp"

namespace compose::engine {
namespace {

std::int64_t created_at(const std::string& config_json) {
    const auto created = image::parse_config(config_json).created;
    return image::parse_time(created).value_or(0);
}

std::string repository_of(const image::Reference& reference) {
    return reference.registry + "/" + reference.repository;
}

bool fits(const store::Image& image, const std::string& platform) {
    return platform.empty() || image::platform_match(platform_of(image), image::parse_platform(platform)) > 0;
}

}  // namespace

image::Platform platform_of(const store::Image& image) {
    const auto value = parse_json(image.config);
    const auto& object = value.as_object();
    return image::normalized(
        {string_or(object, "os", "linux"), string_or(object, "architecture"), string_or(object, "variant")});
}

void check_platform(const store::Image& image, const std::string& platform) {
    if (fits(image, platform)) return;
    throw make_error(ErrorKind::not_found, "image {} is for {}, not for {}", image.id.substr(0, 19),
                     platform_of(image).to_string(), image::parse_platform(platform).to_string());
}

store::Image record_image(store::Store& store, const image::StoredImage& stored, const image::Reference* name,
                          bool pulled) {
    store::Image row;
    row.id = stored.id;
    row.config = stored.config_json;
    row.created_at = created_at(stored.config_json);
    store.transaction([&] {
        for (const auto& layer : stored.layers) {
            row.layers.push_back(layer.chain_id);
            if (layer.size >= 0) store.put_layer_size(layer.chain_id, layer.size);
            row.size += std::max<std::int64_t>(layer.size >= 0 ? layer.size : store.layer_size(layer.chain_id), 0);
        }
        store.put_image(row);
        // An image that is built on this one goes out with the blobs that came.
        for (std::size_t i = 0; i < row.layers.size() && i < stored.manifest.layers.size(); ++i) {
            const auto& blob = stored.manifest.layers[i];
            store.put_layer_blob({.chain_id = row.layers[i],
                                  .diff_id = stored.layers[i].diff_id,
                                  .media_type = blob.media_type,
                                  .digest = blob.digest,
                                  .size = blob.size});
        }
        if (!stored.manifest_json.empty()) {
            const auto known = store.image_manifest(row.id);
            // The first manifest stays: its blobs are here, and what was sent once goes out again as it was.
            if (!known || pulled)
                store.put_image_manifest(
                    {.image_id = row.id, .digest = stored.manifest_digest, .content = stored.manifest_json});
        }
        if (name == nullptr) return;
        if (pulled)
            store.put_image_digest({.repository = repository_of(*name), .digest = stored.digest, .image_id = row.id});
        if (!name->digest.empty()) return;
        store.tag_image(name->to_string(), row.id);
        if (pulled) store.mark_pulled(name->to_string());
    });
    store.sync();
    return row;
}

namespace {

void tell_failure(EventSink& events, const std::string& id, const PullRequest& request, const Error& error) {
    const bool warning = request.failure_is_warning;
    events.on_event({warning ? Event::Status::warning : Event::Status::error, id, warning ? "Warning" : "Error",
                     error.what(), 0, 0});
}

/// What a registry knows it by within its repository.
std::string manifest_name(const image::Reference& reference) {
    return reference.digest.empty() ? reference.tag : reference.digest;
}

}  // namespace

PullResult pull_into_store(store::Store& store, EventSink& events, RegistryAccess& access, const PullRequest& request) {
    const auto& layout = store.layout();
    const auto familiar = request.reference.familiar();
    const auto id = request.event_id.empty() ? "Image " + familiar : request.event_id;
    events.on_event({Event::Status::working, id, "Pulling", {}, 0, 0});
    try {
        auto registry = access.open(request.reference);
        const image::LayerLease lease(layout.layers());
        image::ContentStore blobs(layout.blobs());
        LayerReporter reporter(events, id);
        image::PullOptions options;
        const auto wish = request.platform.empty() ? access.variable("DOCKER_DEFAULT_PLATFORM") : request.platform;
        options.platform = image::parse_platform(wish);
        options.platform_given = !wish.empty();
        if (request.show_layers) options.progress = [&](const image::LayerProgress& progress) { reporter(progress); };
        const auto stored = in_context([&] { return "pull " + familiar; },
                                       [&] {
                                           return image::pull_image(registry, {blobs, layout.layers()}, options);
                                       });
        for (const auto& warning : stored.warnings) events.on_event({Event::Status::warning, id, warning, {}, 0, 0});
        const auto before = request.reference.digest.empty()
                                ? store.image_by_reference(request.reference.to_string())
                                : store.image_by_digest(repository_of(request.reference), stored.digest);
        PullResult result{.image = record_image(store, stored, &request.reference, true), .digest = stored.digest};
        result.changed = !before || before->id != result.image.id;
        events.on_event({Event::Status::done, id, "Pulled", {}, 0, 0});
        return result;
    } catch (Error& error) {
        give_room_back(store, error);
        tell_failure(events, id, request, error);
        throw;
    }
}

void pull_dry(EventSink& events, RegistryAccess& access, const PullRequest& request) {
    const auto familiar = request.reference.familiar();
    const auto id = request.event_id.empty() ? "Image " + familiar : request.event_id;
    events.on_event({Event::Status::working, id, "Pulling", {}, 0, 0});
    try {
        in_context([&] { return "pull " + familiar; },
                   [&] { (void)access.open(request.reference).manifest(manifest_name(request.reference)); });
    } catch (const Error& error) {
        tell_failure(events, id, request, error);
        throw;
    }
    events.on_event({Event::Status::done, id, "Pulled", {}, 0, 0});
}

store::Image ensure_image(store::Store& store, const store::Layout& layout, EventSink& events,
                          const std::string& reference, PullWhen when, const std::string& platform,
                          std::stop_token cancel) {
    (void)layout;
    if (when != PullWhen::always || reference.starts_with("sha256:")) {
        auto found = find_image(store, reference);
        if (found && fits(*found, platform)) return *found;
        if (when == PullWhen::never)
            throw make_error(ErrorKind::not_found, "image \"{}\" is not here{}", reference,
                             found ? " for " + platform : "")
                .with_hint("it is not pulled, because that was ruled out");
    }
    RegistryAccess access(sys::environment_snapshot(), std::move(cancel));
    return pull_into_store(store, events, access,
                           {.reference = image::parse_reference(reference), .platform = platform})
        .image;
}

}  // namespace compose::engine
