// The wiring of Images: opening the store, one call a function. What is done lies in the files beside.
#include <compose/images.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/base_images.hpp"
#include "engine/image_events.hpp"
#include "engine/image_list.hpp"
#include "engine/image_store.hpp"
#include "engine/images_impl.hpp"
#include "sys/env.hpp"

namespace compose {

Images::Images(EngineOptions options, EventSink& events)
    : impl_(new Impl{options, events, store::Layout::from(options.state_dir, options.run_dir)}) {}
Images::~Images() = default;

store::Store Images::Impl::open() const {
    layout.prepare();
    return store::Store(layout);
}

std::vector<std::string> Images::pull(const std::string& reference, const PullOptions& options,
                                      std::stop_token cancel) {
    auto name = image::parse_reference(reference);
    auto store = impl_->open();
    engine::RegistryAccess access(sys::environment_snapshot(), std::move(cancel));
    std::vector<std::string> tags{name.tag};
    if (options.all_tags) {
        if (!name.digest.empty() || name.tag != "latest" || reference.ends_with(":latest"))
            throw make_error(ErrorKind::usage, "{}: a tag can't be used with --all-tags", quote(reference));
        tags = access.open(name).tags();
    }
    std::vector<std::string> digests;
    for (const auto& tag : tags) {
        name.tag = tag;
        const auto result =
            engine::pull_into_store(store, impl_->events, access,
                                    {.reference = name, .platform = options.platform, .show_layers = !options.quiet});
        digests.push_back(result.digest);
        engine::tell_image(impl_->layout, "pull", name.familiar(), name.familiar_name());
    }
    return digests;
}

void Images::tag(const std::string& source, const std::string& target) {
    auto store = impl_->open();
    const auto image = engine::require_image(store, source);
    const auto name = image::parse_reference(target);
    if (!name.digest.empty())
        throw make_error(ErrorKind::usage, "{}: a tag can't have a digest in its name", quote(target));
    store.tag_image(name.to_string(), image.id);
    store.sync();
    engine::tell_image(impl_->layout, "tag", image.id, name.familiar());
}

std::vector<ImageListing> Images::list(const ImageListOptions& options) {
    return engine::list_images(impl_->open(), options);
}

std::vector<ContainerImage> Images::of_containers(const std::string& project,
                                                  const std::vector<std::string>& services) {
    return engine::images_of_containers(impl_->open(), project, services);
}

std::vector<HistoryView> Images::history(const std::string& reference) {
    return engine::image_history(impl_->open(), reference);
}

std::string Images::inspect(const std::string& reference) {
    return engine::inspect_image(impl_->open(), reference);
}

std::vector<std::string> Images::remove(const std::string& reference, bool force, bool no_prune) {
    auto store = impl_->open();
    auto lines = engine::remove_image(store, reference, force, no_prune);
    engine::tell_removed_images(impl_->layout, lines);
    return lines;
}

PruneResult Images::prune(const PruneOptions& options) {
    auto store = impl_->open();
    auto result = engine::prune_images(store, options);
    engine::tell_removed_images(impl_->layout, result.lines);
    return result;
}

std::string Images::resolve_digest(const std::string& reference, std::stop_token cancel) {
    const auto name = image::parse_reference(reference);
    if (!name.digest.empty()) return name.familiar();
    engine::RegistryAccess access(sys::environment_snapshot(), std::move(cancel));
    const auto reply = access.open(name).manifest(name.tag);
    return name.familiar() + "@" + reply.digest;
}

}  // namespace compose
