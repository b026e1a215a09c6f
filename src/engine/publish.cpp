// Sending a project to a registry, and its images with it.
#include <compose/publication.hpp>
#include <compose/version.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/registry_access.hpp"
#include "image/copy.hpp"
#include "image/layer.hpp"
#include "image/project_artifact.hpp"
#include "image/reference.hpp"
#include "store/store.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/spool.hpp"

namespace compose {

namespace {

using Status = Event::Status;

image::PartKind kind_of(PublishedFile::Kind kind) {
    switch (kind) {
        case PublishedFile::Kind::compose:
            return image::PartKind::compose;
        case PublishedFile::Kind::extended:
            return image::PartKind::extended;
        case PublishedFile::Kind::variables:
            return image::PartKind::variables;
    }
    return image::PartKind::compose;
}

void upload(image::Registry& registry, const image::Descriptor& blob, const std::string& text) {
    if (registry.has_blob(blob.digest)) return;
    const auto memory = sys::make_memory_file("file");
    sys::write_all(memory, text);
    registry.upload_blob(blob.digest, memory, blob.size, {});
}

class ProjectPush {
public:
    ProjectPush(image::Registry& registry, const std::vector<PublishedFile>& files) : registry_(registry) {
        for (const auto& file : files) parts_.push_back({kind_of(file.kind), file.name, file.text});
        created_ = sys::rfc3339(sys::wall_now());
    }

    image::Descriptor run(const std::string& version) {
        if (!version.empty()) {
            const auto packed = prepare(version == "1.0" ? image::OciVersion::v1_0 : image::OciVersion::v1_1);
            (void)registry_.put_manifest(registry_.reference().tag, packed.manifest_json, packed.manifest.media_type);
            return packed.manifest;
        }
        const auto packed = prepare(image::OciVersion::v1_1);
        if (registry_.offer_manifest(registry_.reference().tag, packed.manifest_json, packed.manifest.media_type))
            return packed.manifest;
        return run("1.0");
    }

private:
    image::PackedProject prepare(image::OciVersion version) {
        auto packed = image::pack_project(parts_, version, created_, std::string(kVersion));
        for (const auto& [blob, text] : packed.blobs) upload(registry_, blob, text);
        return packed;
    }

    image::Registry& registry_;
    std::vector<image::ProjectPart> parts_;
    std::string created_;
};

/// Where the project's repository holds them too, a list of them belongs to the project's manifest.
void push_images(engine::RegistryAccess& access, image::Registry& to, const std::vector<std::string>& names,
                 const image::Descriptor& project, const store::Layout& layout, EventSink& events) {
    layout.prepare();
    const image::LayerLease lease(layout.layers());
    const image::ContentStore blobs(layout.blobs());
    std::vector<image::Descriptor> images;
    for (const auto& name : names) {
        const auto reference = image::parse_reference(name);
        const auto id = "Image " + reference.familiar();
        events.on_event({Status::working, id, "Copying", {}, 0, 0});
        auto from = access.open(reference);
        images.push_back(in_context([&] { return "copy " + reference.familiar(); },
                                    [&] { return image::copy_image(from, to, blobs); }));
        events.on_event({Status::done, id, "Copied", {}, 0, 0});
    }
    const auto index = image::render_index(image::index_of_images(images, project, std::string(kVersion)));
    (void)to.put_manifest("sha256:" + sha256_hex(index), index, std::string(image::media::kOciIndex));
}

}  // namespace

void check_publish_options(const PublishOptions& options) {
    if (!image::parse_reference(options.reference).digest.empty())
        throw make_error(ErrorKind::usage, "{}: a digest can't be published to", quote(options.reference));
    if (!options.oci_version.empty() && options.oci_version != "1.0" && options.oci_version != "1.1")
        throw make_error(ErrorKind::usage, "invalid value {} for --oci-version", quote(options.oci_version))
            .with_hint("use 1.0 or 1.1");
}

std::string publish_project(const std::vector<PublishedFile>& files, const PublishOptions& options,
                            const EngineOptions& engine, EventSink& events, std::stop_token cancel) {
    check_publish_options(options);
    const auto name = image::parse_reference(options.reference);
    engine::RegistryAccess access(options.environment, std::move(cancel));
    auto registry = access.open(name);
    const auto& id = options.reference;
    events.on_event({Status::working, id, "publishing", {}, 0, 0});
    try {
        const auto manifest = in_context([&] { return "publish " + name.familiar(); },
                                         [&] { return ProjectPush(registry, files).run(options.oci_version); });
        if (!options.images.empty())
            push_images(access, registry, options.images, manifest,
                        store::Layout::from(engine.state_dir, engine.run_dir), events);
        events.on_event({Status::done, id, "published", {}, 0, 0});
        return manifest.digest;
    } catch (const Error& error) {
        events.on_event({Status::error, id, "Error", error.what(), 0, 0});
        throw;
    }
}

}  // namespace compose
