#include "image/archive_read.hpp"

#include <map>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "image/config.hpp"
#include "image/decompress.hpp"
#include "image/fetch.hpp"
#include "image/gzip.hpp"
#include "image/layer.hpp"
#include "sys/spool.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;
constexpr std::size_t kMaxIndex = std::size_t{4} << 20U;
constexpr std::size_t kMaxImages = 1000;
constexpr int kMaxNesting = 3;

void read_region(const ArchiveRegion& region, std::int64_t from, const Interrupt& interrupt,
                 const std::function<void(std::string_view)>& out) {
    std::vector<char> buffer(kBuffer);
    for (std::int64_t at = from; at < region.size;) {
        interrupt.check();
        const auto room = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(region.size - at));
        const auto size =
            sys::read_at(region.file, std::span(buffer).first(room), static_cast<std::uint64_t>(region.offset + at));
        if (size == 0) throw Error("the archive ends too early", ErrorKind::invalid);
        out({buffer.data(), size});
        at += static_cast<std::int64_t>(size);
    }
}

class RegionSource final : public ByteSource {
public:
    explicit RegionSource(const ArchiveRegion& region) : region_(region), buffer_(kBuffer) {}
    std::string_view peek() override {
        if (taken_ == filled_) {
            const auto room = std::min<std::size_t>(buffer_.size(), static_cast<std::size_t>(region_.size - at_));
            filled_ = room == 0 ? 0
                                : sys::read_at(region_.file, std::span(buffer_).first(room),
                                               static_cast<std::uint64_t>(region_.offset + at_));
            at_ += static_cast<std::int64_t>(filled_);
            taken_ = 0;
        }
        return {buffer_.data() + taken_, filled_ - taken_};
    }
    void consume(std::size_t size) override { taken_ += size; }

private:
    const ArchiveRegion& region_;
    std::vector<char> buffer_;
    std::int64_t at_ = 0;
    std::size_t taken_ = 0, filled_ = 0;
};

/// A layer file of Docker's archive: kept as it is when it is compressed as layers may be, else compressed now. Its
/// digest is that of the bytes, which must unpack to `diff_id`.
Descriptor pack_file(const StorePlace& place, const ArchiveRegion& region, const std::string& diff_id,
                     const Interrupt& interrupt) {
    RegionSource source(region);
    const auto kind = detect_compression(source.peek());
    const bool kept = kind == Compression::gzip || kind == Compression::zstd;
    NewBlob blob(place.blobs);
    Sha256 plain_hash;
    Descriptor out;
    out.media_type = kind == Compression::zstd ? "application/vnd.oci.image.layer.v1.tar+zstd" : media::kOciLayerGzip;
    const auto plain = decompress(source);
    GzipSink gzip(blob);
    for (auto bytes = plain->peek(); !bytes.empty(); bytes = plain->peek()) {
        interrupt.check();
        plain_hash.update(bytes.data(), bytes.size());
        if (!kept) gzip.write(bytes);
        plain->consume(bytes.size());
    }
    if (!kept)
        gzip.finish();
    else
        read_region(region, 0, interrupt, [&](std::string_view bytes) { blob.write(bytes); });
    if (const auto found = "sha256:" + plain_hash.hex(); found != diff_id)
        throw make_error(ErrorKind::invalid, "the image's config says that it is {}, but it is {}", diff_id, found);
    out.size = blob.size();
    out.digest = blob.commit();
    return out;
}

class Loader {
public:
    Loader(ArchiveFiles& files, const StorePlace& place, const Platform& platform, const Interrupt& interrupt,
           const std::function<void(const LayerProgress&)>& progress)
        : files_(files), place_(place), platform_(platform), interrupt_(interrupt), progress_(progress) {}

    std::vector<LoadedImage> run() {
        if (files_.find("index.json")) {
            load_layout();
        } else if (files_.find("manifest.json")) {
            load_docker();
        } else {
            throw Error("this is no archive of images: it has neither index.json nor manifest.json", ErrorKind::invalid)
                .with_hint("to make an image of a root file system: compose image import FILE NAME");
        }
        return std::move(loaded_);
    }

private:
    std::string text(const std::string& name, std::size_t limit) {
        const auto region = files_.find(name);
        if (!region) throw make_error(ErrorKind::invalid, "the archive has no {}", name);
        if (region->size > static_cast<std::int64_t>(limit))
            throw make_error(ErrorKind::invalid, "{} is longer than {} bytes", name, limit);
        std::string out;
        read_region(*region, 0, interrupt_, [&](std::string_view bytes) { out += bytes; });
        return out;
    }

    std::string blob_text(const Descriptor& descriptor, std::size_t limit) {
        auto out = text("blobs/sha256/" + descriptor.digest.substr(7), limit);
        if (static_cast<std::int64_t>(out.size()) != descriptor.size ||
            "sha256:" + sha256_hex(out) != descriptor.digest)
            throw make_error(ErrorKind::invalid, "{} in the archive does not have that digest and size",
                             descriptor.digest);
        return out;
    }

    void load_layout() {
        const auto parsed = parse_manifest(text("index.json", kMaxIndex), {});
        if (!std::holds_alternative<Index>(parsed)) throw Error("index.json is no index", ErrorKind::invalid);
        const auto& index = std::get<Index>(parsed);
        const bool several = index.manifests.size() > 1;
        std::map<std::string, std::size_t> known;  // by manifest
        for (const auto& entry : index.manifests) {
            interrupt_.check();
            if (entry.attestation) continue;
            // One layout may hold an image for several machines: ours is meant.
            if (several && entry.platform && platform_match(*entry.platform, platform_) == 0 &&
                offers_ours(index, entry))
                continue;
            if (const auto found = known.find(entry.digest); found == known.end()) {
                known[entry.digest] = loaded_.size();
                loaded_.push_back({load_manifest(entry), {}});
            }
            add_name(loaded_[known[entry.digest]], entry);
        }
        add_docker_names();
    }

    /// Is there an entry of the same name for this machine?
    [[nodiscard]] bool offers_ours(const Index& index, const Descriptor& entry) const {
        return std::any_of(index.manifests.begin(), index.manifests.end(), [&](const Descriptor& other) {
            return other.name == entry.name && other.full_name == entry.full_name && other.platform &&
                   platform_match(*other.platform, platform_) > 0;
        });
    }

    void add_name(LoadedImage& image, const Descriptor& entry) {
        // "latest" alone says nothing of the repository; what has one is a name.
        auto name = entry.full_name;
        if (name.empty() && entry.name.find_first_of(":/") != std::string::npos) name = entry.name;
        if (!name.empty()) add_name(image, name);
    }

    static void add_name(LoadedImage& image, const std::string& text) {
        const auto name = parse_reference(text);
        if (!name.digest.empty()) throw make_error(ErrorKind::invalid, "\"{}\" can't be the name of an image", text);
        if (std::find(image.names.begin(), image.names.end(), name) == image.names.end()) image.names.push_back(name);
    }

    /// Docker's manifest.json beside an OCI layout: its names count too.
    void add_docker_names() {
        if (!files_.find("manifest.json")) return;
        const auto value = parse_json(text("manifest.json", kMaxIndex));
        if (!value.is_array()) return;
        for (const auto& item : value.get_array()) {
            if (!item.is_object()) continue;
            const auto config = string_or(item.get_object(), "Config");
            for (auto& loaded : loaded_)
                if (config == "blobs/sha256/" + loaded.image.id.substr(7))
                    for (const auto& tag : strings_or_empty(item.get_object(), "RepoTags")) add_name(loaded, tag);
        }
    }

    StoredImage load_manifest(Descriptor entry) {
        const auto digest = entry.digest;
        for (int depth = 0;; ++depth) {
            auto json_text = blob_text(entry, kMaxManifest);
            auto parsed = parse_manifest(json_text, entry.media_type);
            if (auto* manifest = std::get_if<Manifest>(&parsed))
                return store(std::move(*manifest), std::move(json_text), entry.digest, digest);
            if (depth == kMaxNesting) throw Error("the index leads to further ones without end", ErrorKind::invalid);
            entry = choose(std::get<Index>(parsed), platform_);
        }
    }

    StoredImage store(Manifest manifest, std::string manifest_json, const std::string& manifest_digest,
                      const std::string& digest) {
        StoredImage image;
        image.config_json = blob_text(manifest.config, kMaxConfig);
        image.id = manifest.config.digest;
        const auto config = check_config(image.config_json, manifest);
        for (const auto& job : layer_jobs(manifest, config.diff_ids)) {
            const auto report = [&](LayerProgress::Stage stage, std::int64_t current) {
                if (progress_) progress_({job.blob.digest, stage, current, job.blob.size});
            };
            image.layers.push_back(store_layer(
                place_, job, interrupt_,
                [&](PartialBlob& blob, const std::function<void(std::string_view)>& feed) { copy(job, blob, feed); },
                report, image.warnings));
            report(LayerProgress::Stage::done, job.blob.size);
        }
        image.manifest = std::move(manifest);
        image.manifest_json = std::move(manifest_json);
        image.manifest_digest = manifest_digest;
        image.digest = digest;
        return image;
    }

    void copy(const LayerJob& job, PartialBlob& blob, const std::function<void(std::string_view)>& feed) {
        const auto region = files_.find("blobs/sha256/" + job.blob.digest.substr(7));
        if (!region) throw make_error(ErrorKind::invalid, "the archive lacks {}", job.blob.digest);
        if (region->size != job.blob.size)
            throw make_error(ErrorKind::invalid, "the manifest says {} bytes, the archive has {}", job.blob.size,
                             region->size);
        blob.restart();
        read_region(*region, 0, interrupt_, [&](std::string_view bytes) {
            blob.append(bytes);
            feed(bytes);
        });
    }

    void load_docker() {
        const auto value = parse_json(text("manifest.json", kMaxIndex));
        if (!value.is_array() || value.get_array().size() > kMaxImages)
            throw Error("manifest.json is no list of images", ErrorKind::invalid);
        for (const auto& item : value.get_array()) {
            if (!item.is_object()) throw Error("manifest.json is no list of images", ErrorKind::invalid);
            const auto& object = item.get_object();
            LoadedImage loaded{load_docker_image(string_or(object, "Config"), strings_or_empty(object, "Layers")), {}};
            for (const auto& tag : strings_or_empty(object, "RepoTags")) add_name(loaded, tag);
            loaded_.push_back(std::move(loaded));
        }
    }

    StoredImage load_docker_image(const std::string& config_name, const std::vector<std::string>& layers) {
        StoredImage image;
        image.config_json = text(config_name, kMaxConfig);
        image.id = config_digest(image.config_json);
        if (layers.size() > kMaxLayers) throw Error("the image has too many layers", ErrorKind::invalid);
        auto& manifest = image.manifest;
        manifest.media_type = media::kOciManifest;
        manifest.config = {.media_type = std::string(media::kOciConfig),
                           .digest = image.id,
                           .size = static_cast<std::int64_t>(image.config_json.size()),
                           .platform = {},
                           .name = {},
                           .full_name = {}};
        manifest.layers.resize(layers.size());
        const auto config = check_config(image.config_json, manifest);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const auto region = files_.find(layers[i]);
            if (!region) throw make_error(ErrorKind::invalid, "the archive has no {}", layers[i]);
            manifest.layers[i] = in_context([&] { return "layer " + quote(layers[i].substr(0, 200)); },
                                            [&] { return pack_file(place_, *region, config.diff_ids[i], interrupt_); });
        }
        const FetchProgress quiet = [](LayerProgress::Stage, std::int64_t) {};
        for (const auto& job : layer_jobs(manifest, config.diff_ids))
            image.layers.push_back(store_layer(place_, job, interrupt_, {}, quiet, image.warnings));
        image.manifest_json = render_manifest(manifest);
        image.manifest_digest = image.digest = "sha256:" + sha256_hex(image.manifest_json);
        return image;
    }

    ArchiveFiles& files_;
    const StorePlace& place_;
    const Platform& platform_;
    const Interrupt& interrupt_;
    const std::function<void(const LayerProgress&)>& progress_;
    std::vector<LoadedImage> loaded_;
};

}  // namespace

std::vector<LoadedImage> load_archive(ArchiveFiles& files, const StorePlace& place, const Platform& platform,
                                      const Interrupt& interrupt,
                                      const std::function<void(const LayerProgress&)>& progress) {
    return Loader(files, place, platform, interrupt, progress).run();
}

}  // namespace compose::image
