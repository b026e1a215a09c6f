#include "image/archive_write.hpp"

#include <map>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "image/tar_writer.hpp"
#include "sys/poll.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;

std::string blob_path(const std::string& digest) {
    return "blobs/sha256/" + digest.substr(7);
}

class Writer {
public:
    Writer(const ContentStore& blobs, ByteSink& out, const Interrupt& interrupt)
        : blobs_(blobs), tar_(out), interrupt_(interrupt) {}

    void folder(const std::string& name) {
        TarEntry entry;
        entry.type = TarType::directory;
        entry.name = name;
        entry.mode = 0755;
        tar_.add(entry);
    }

    void text(const std::string& name, const std::string& content) {
        start(name, static_cast<std::int64_t>(content.size()));
        tar_.data(content);
    }

    void blob(const Descriptor& descriptor) {
        const auto file = blobs_.open(descriptor.digest);
        if (!file) throw make_error(ErrorKind::not_found, "blob {} is not here", descriptor.digest);
        start(blob_path(descriptor.digest), descriptor.size);
        std::vector<char> buffer(kBuffer);
        for (std::int64_t left = descriptor.size; left > 0;) {
            interrupt_.check();
            const auto room = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(left));
            const auto size = sys::read_some(*file, std::span(buffer).first(room)).value_or(0);
            if (size == 0) throw make_error("blob {} is shorter than it was", descriptor.digest);
            tar_.data({buffer.data(), size});
            left -= static_cast<std::int64_t>(size);
        }
    }

    void finish() { tar_.finish(); }

private:
    void start(const std::string& name, std::int64_t size) {
        TarEntry entry;
        entry.name = name;
        entry.mode = 0644;
        entry.size = size;
        tar_.add(entry);
    }

    const ContentStore& blobs_;
    TarWriter tar_;
    const Interrupt& interrupt_;
};

Index make_index(const std::vector<ArchivedImage>& images) {
    Index index;
    index.media_type = media::kOciIndex;
    for (const auto& entry : images) {
        Descriptor descriptor;
        descriptor.media_type = entry.image.manifest.media_type;
        descriptor.digest = entry.image.manifest_digest;
        descriptor.size = static_cast<std::int64_t>(entry.image.manifest_json.size());
        descriptor.platform = entry.platform;
        if (entry.names.empty()) index.manifests.push_back(descriptor);
        for (const auto& name : entry.names) {
            descriptor.full_name = name.to_string();
            descriptor.name = name.tag;
            index.manifests.push_back(descriptor);
        }
    }
    return index;
}

std::string docker_manifest(const std::vector<ArchivedImage>& images) {
    json::array list;
    for (const auto& entry : images) {
        json::array tags, layers;
        for (const auto& name : entry.names) tags.emplace_back(name.familiar());
        for (const auto& layer : entry.image.manifest.layers) layers.emplace_back(blob_path(layer.digest));
        list.push_back(json::object{{"Config", blob_path(entry.image.manifest.config.digest)},
                                    {"RepoTags", std::move(tags)},
                                    {"Layers", std::move(layers)}});
    }
    return json::serialize(list);
}

}  // namespace

void write_archive(const std::vector<ArchivedImage>& images, const ContentStore& blobs, bool docker, ByteSink& out,
                   const Interrupt& interrupt) {
    Writer writer(blobs, out, interrupt);
    writer.folder("blobs");
    writer.folder("blobs/sha256");
    std::set<std::string> written;
    for (const auto& entry : images) {
        const auto& image = entry.image;
        if (written.insert(image.manifest.config.digest).second)
            writer.text(blob_path(image.manifest.config.digest), image.config_json);
        for (const auto& layer : image.manifest.layers)
            if (written.insert(layer.digest).second) writer.blob(layer);
        if (written.insert(image.manifest_digest).second)
            writer.text(blob_path(image.manifest_digest), image.manifest_json);
    }
    writer.text("index.json", render_index(make_index(images)));
    if (docker) writer.text("manifest.json", docker_manifest(images));
    writer.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    writer.finish();
}

}  // namespace compose::image
