// Sending images away: push, save, and their opposite, load.
#include <compose/images.hpp>
#include <compose/plan.hpp>
#include <map>
#include <mutex>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/base_images.hpp"
#include "engine/image_events.hpp"
#include "engine/image_list.hpp"
#include "engine/image_store.hpp"
#include "engine/images_impl.hpp"
#include "engine/layer_reporter.hpp"
#include "image/archive_read.hpp"
#include "image/archive_write.hpp"
#include "image/layer.hpp"
#include "image/push.hpp"
#include "model/names.hpp"
#include "plan/images.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"

namespace compose {

namespace {

using engine::RegistryAccess;
using Status = Event::Status;

/// Makes blobs of layers that have none, and remembers them.
image::OutgoingImage outgoing(store::Store& store, EventSink& events, const store::Image& row,
                              const image::Interrupt& interrupt) {
    image::ContentStore blobs(store.layout().blobs());
    image::OutgoingRequest request;
    request.config_json = row.config;
    request.layers = row.layers;
    if (const auto known = store.image_manifest(row.id)) request.manifest_json = known->content;
    request.packing = [&](const std::string& diff_id, bool done) {
        events.on_event(
            {done ? Status::done : Status::working, diff_id.substr(7, 12), done ? "Prepared" : "Preparing", {}, 0, 0});
    };
    request.known = [&](const std::string& chain) -> std::optional<image::PackedLayer> {
        const auto blob = store.layer_blob(chain);
        if (!blob) return std::nullopt;
        image::PackedLayer out{.blob = {}, .diff_id = blob->diff_id};
        out.blob.media_type = blob->media_type;
        out.blob.digest = blob->digest;
        out.blob.size = blob->size;
        return out;
    };
    request.note = [&](const std::string& chain, const image::PackedLayer& packed) {
        store.put_layer_blob({.chain_id = chain,
                              .diff_id = packed.diff_id,
                              .media_type = packed.blob.media_type,
                              .digest = packed.blob.digest,
                              .size = packed.blob.size});
    };
    auto out = image::prepare_outgoing({blobs, store.layout().layers()}, request, interrupt);
    if (out.faithful && out.manifest_json != request.manifest_json)
        store.put_image_manifest({.image_id = row.id, .digest = out.manifest_digest, .content = out.manifest_json});
    return out;
}

/// Repositories of the same registry from which the image may have come.
std::vector<std::string> sources_of(const store::Store& store, const std::string& image_id,
                                    const image::Reference& target) {
    std::vector<std::string> out;
    for (const auto& digest : store.image_digests()) {
        if (digest.image_id != image_id) continue;
        const auto name = image::parse_reference(digest.repository);
        if (name.registry == target.registry && name.repository != target.repository) out.push_back(name.repository);
    }
    return out;
}

class PushReporter {
public:
    PushReporter(EventSink& events, std::string parent) : events_(events), parent_(std::move(parent)) {}
    void operator()(const image::PushProgress& progress) {
        using Stage = image::PushProgress::Stage;
        Event event{Status::working, progress.digest.substr(7, 12), "Preparing", "", progress.current, progress.total,
                    parent_};
        if (progress.stage == Stage::pushing) event.text = "Pushing";
        const char* finished = progress.stage == Stage::exists    ? "Layer already exists"
                               : progress.stage == Stage::mounted ? "Mounted"
                               : progress.stage == Stage::done    ? "Pushed"
                                                                  : nullptr;
        if (finished != nullptr) {
            event.status = Status::done;
            event.text = finished;
            event.current = event.total = 0;
        }
        if (limit_.due(event.id, event.text)) events_.on_event(event);
    }

private:
    EventSink& events_;
    const std::string parent_;
    engine::EventLimit limit_;
};

void tell_failure(EventSink& events, const std::string& id, bool is_warning, const Error& error) {
    events.on_event(
        {is_warning ? Status::warning : Status::error, id, is_warning ? "Warning" : "Error", error.what(), 0, 0});
}

struct PushRequest {
    image::Reference name;
    std::string event_id;
    bool quiet = false;
    bool failure_is_warning = false;
};

std::string push_one(store::Store& store, EventSink& events, RegistryAccess& access, const PushRequest& request) {
    const auto& name = request.name;
    const auto& id = request.event_id;
    events.on_event({Status::working, id, "Pushing", {}, 0, 0});
    try {
        const auto row = engine::require_image(store, name.familiar());
        const image::LayerLease lease(store.layout().layers());
        const auto image = outgoing(store, events, row, access.interrupt());
        image::ContentStore blobs(store.layout().blobs());
        auto registry = access.open(name);
        PushReporter reporter(events, id);
        image::PushOptions options;
        options.mount_from = sources_of(store, row.id, name);
        if (!request.quiet) options.progress = [&](const image::PushProgress& progress) { reporter(progress); };
        const auto digest = in_context([&] { return "push " + name.familiar(); },
                                       [&] { return image::push_image(registry, blobs, image, options); });
        if (image.faithful)
            store.put_image_digest(
                {.repository = name.registry + "/" + name.repository, .digest = digest, .image_id = row.id});
        store.sync();
        events.on_event({Status::done, id, "Pushed", {}, 0, 0});
        return fmt::format("{}: digest: {} size: {}", name.tag, digest, image.manifest_json.size());
    } catch (const Error& error) {
        tell_failure(events, id, request.failure_is_warning, error);
        throw;
    }
}

/// Tells what push_one() would; nothing is packed or sent.
void push_dry(const store::Store& store, EventSink& events, const PushRequest& request) {
    events.on_event({Status::working, request.event_id, "Pushing", {}, 0, 0});
    try {
        (void)engine::require_image(store, request.name.familiar());
    } catch (const Error& error) {
        tell_failure(events, request.event_id, request.failure_is_warning, error);
        throw;
    }
    events.on_event({Status::done, request.event_id, "Pushed", {}, 0, 0});
}

std::vector<std::string> load_archive(store::Store& store, EventSink& events, int fd, const LoadOptions& options,
                                      const image::Interrupt& interrupt) {
    const auto& layout = store.layout();
    const auto platform = image::parse_platform(options.platform);
    const image::LayerLease lease(store.layout().layers());
    image::ContentStore blobs(store.layout().blobs());
    const auto files = options.folder.empty()
                           ? image::open_tar_archive(sys::FdRef(fd), store.layout().blobs() + "/partial", interrupt)
                           : image::open_folder_archive(options.folder);
    engine::LayerReporter reporter(events, {});
    const auto loaded = image::load_archive(*files, {blobs, store.layout().layers()}, platform, interrupt,
                                            [&](const image::LayerProgress& progress) { reporter(progress); });
    std::vector<std::string> lines;
    for (const auto& [image, names] : loaded) {
        for (const auto& warning : image.warnings)
            events.on_event({Status::warning, "Image " + image.id.substr(7, 12), warning, {}, 0, 0});
        store::Image row;
        row.id = image.id;
        row.config = image.config_json;
        engine::check_platform(row, options.platform);
        if (names.empty()) {
            (void)engine::record_image(store, image, nullptr, false);
            engine::tell_image(layout, "load", image.id, image.id);
            lines.push_back("Loaded image ID: " + image.id);
        }
        for (const auto& name : names) {
            (void)engine::record_image(store, image, &name, false);
            engine::tell_image(layout, "load", image.id, name.familiar());
            lines.push_back("Loaded image: " + name.familiar());
        }
    }
    return lines;
}

class FdSink final : public image::ByteSink {
public:
    explicit FdSink(int fd) : fd_(fd) {}
    void write(std::string_view bytes) override { sys::write_all(fd_, bytes); }

private:
    sys::FdRef fd_;
};

}  // namespace

std::vector<std::string> Images::push(const std::string& reference, bool all_tags, bool quiet, std::stop_token cancel) {
    auto name = image::parse_reference(reference);
    if (!name.digest.empty()) throw make_error(ErrorKind::usage, "{}: a digest can't be pushed to", quote(reference));
    auto store = impl_->open();
    std::vector<image::Reference> names{name};
    if (all_tags) {
        names.clear();
        for (const auto& entry : store.image_names()) {
            const auto other = image::parse_reference(entry.reference);
            if (other.registry == name.registry && other.repository == name.repository) names.push_back(other);
        }
        if (names.empty()) throw make_error(ErrorKind::not_found, "no image is called {}", name.familiar_name());
    }
    RegistryAccess access(sys::environment_snapshot(), std::move(cancel));
    std::vector<std::string> lines;
    for (const auto& one : names) {
        lines.push_back(push_one(store, impl_->events, access, {one, "Image " + one.familiar(), quiet, false}));
        engine::tell_image(impl_->layout, "push", one.familiar(), one.familiar_name());
    }
    return lines;
}

void Images::push_services(const Project& project, const PushServicesOptions& options, std::stop_token cancel) {
    auto store = impl_->open();
    RegistryAccess access(sys::environment_snapshot(), cancel);
    const auto names = options.include_deps || options.services.empty() ? with_dependencies(project, options.services)
                                                                        : options.services;
    std::set<std::string> done;
    for (const auto& service_name : names) {
        const auto& service = project.services.at(service_name);
        if (!service.build) {
            impl_->events.on_event({Status::done, service_name, "Skipped", "It is not built here", 0, 0});
            continue;
        }
        std::vector<std::string> images = service.build->tags;
        // A name that was made from the project's belongs to no registry.
        if (service.image != built_image_name(project.name, service_name)) images.insert(images.begin(), service.image);
        if (images.empty())
            impl_->events.on_event({Status::done, service_name, "Skipped", "It has no image: to be pushed by", 0, 0});
        for (const auto& image : images) {
            if (!done.insert(image).second) continue;
            try {
                const PushRequest request{image::parse_reference(image), "Image " + image, options.quiet,
                                          options.ignore_failures};
                if (impl_->options.dry_run)
                    push_dry(store, impl_->events, request);
                else
                    (void)push_one(store, impl_->events, access, request);
            } catch (const Error&) {
                if (!options.ignore_failures || cancel.stop_requested()) throw;
            }
        }
    }
}

void Images::save(const std::vector<std::string>& references, const SaveOptions& options, int fd,
                  std::stop_token cancel) {
    if (options.format != "docker" && options.format != "oci")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(options.format))
            .with_hint("use docker or oci");
    auto store = impl_->open();
    const image::Interrupt interrupt(std::move(cancel));
    const image::LayerLease lease(store.layout().layers());
    std::map<std::string, image::ArchivedImage> images;  // by id: two names of one image are one entry
    std::vector<std::string> order;
    for (const auto& reference : references) {
        const auto row = engine::require_image(store, reference);
        if (!images.contains(row.id)) {
            order.push_back(row.id);
            images[row.id] = {outgoing(store, impl_->events, row, interrupt), {}, engine::platform_of(row)};
        }
        if (image::id_prefix(reference) && !store.image_by_reference(image::parse_reference(reference).to_string()))
            continue;  // by id: without a name, as Docker does it
        const auto name = image::parse_reference(reference);
        if (name.digest.empty()) images[row.id].names.push_back(name);
    }
    std::vector<image::ArchivedImage> list;
    for (const auto& id : order) list.push_back(std::move(images[id]));
    image::ContentStore blobs(store.layout().blobs());
    FdSink sink(fd);
    image::write_archive(list, blobs, options.format == "docker", sink, interrupt);
    for (const auto& id : order) engine::tell_image(impl_->layout, "save", id, id);
}

std::vector<std::string> Images::load(int fd, const LoadOptions& options, std::stop_token cancel) {
    auto store = impl_->open();
    try {
        return load_archive(store, impl_->events, fd, options, image::Interrupt(std::move(cancel)));
    } catch (Error& error) {
        engine::give_room_back(store, error);
        throw;
    }
}

}  // namespace compose
