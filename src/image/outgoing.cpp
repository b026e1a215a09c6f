#include "image/outgoing.hpp"

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "image/config.hpp"
#include "image/gzip.hpp"
#include "image/layer_diff.hpp"
#include "sys/dir.hpp"

namespace compose::image {

namespace {

/// Hashes what passes.
class HashingSink final : public ByteSink {
public:
    HashingSink(ByteSink& out, const Interrupt& interrupt) : out_(out), interrupt_(interrupt) {}
    void write(std::string_view bytes) override {
        interrupt_.check();
        hash_.update(bytes.data(), bytes.size());
        out_.write(bytes);
    }
    [[nodiscard]] std::string digest() { return "sha256:" + hash_.hex(); }

private:
    ByteSink& out_;
    const Interrupt& interrupt_;
    Sha256 hash_;
};

PackedLayer pack_layer(const StorePlace& place, const std::string& chain, const Interrupt& interrupt) {
    const auto folder = sys::open_directory(place.layers_dir + "/" + chain);
    NewBlob blob(place.blobs);
    GzipSink gzip(blob);
    HashingSink plain(gzip, interrupt);
    write_layer_tar(folder, plain);
    gzip.finish();
    PackedLayer out;
    out.blob.media_type = media::kOciLayerGzip;
    out.blob.size = blob.size();
    out.blob.digest = blob.commit();
    out.diff_id = plain.digest();
    return out;
}

PackedLayer find_or_pack(const StorePlace& place, const OutgoingRequest& request, const std::string& chain,
                         const std::string& diff_id, const Interrupt& interrupt) {
    if (auto known = request.known ? request.known(chain) : std::nullopt; known && place.blobs.has(known->blob.digest))
        return *known;
    if (request.packing) request.packing(diff_id, false);
    auto packed = pack_layer(place, chain, interrupt);
    if (request.packing) request.packing(diff_id, true);
    if (request.note) request.note(chain, packed);
    return packed;
}

/// The same config with other names of its layers.
std::string with_diff_ids(const std::string& config_json, const std::vector<std::string>& diff_ids) {
    auto value = parse_json(config_json);
    json::array list;
    for (const auto& id : diff_ids) list.emplace_back(id);
    value.as_object()["rootfs"] = json::object{{"type", "layers"}, {"diff_ids", std::move(list)}};
    return json::serialize(value);
}

bool complete(const StorePlace& place, const Manifest& manifest) {
    return std::all_of(manifest.layers.begin(), manifest.layers.end(),
                       [&](const Descriptor& layer) { return place.blobs.has(layer.digest); });
}

}  // namespace

OutgoingImage prepare_outgoing(const StorePlace& place, const OutgoingRequest& request, const Interrupt& interrupt) {
    OutgoingImage out;
    out.config_json = request.config_json;
    Manifest known;
    if (!request.manifest_json.empty()) {
        auto parsed = parse_manifest(request.manifest_json, {});
        if (auto* manifest = std::get_if<Manifest>(&parsed)) known = std::move(*manifest);
        if (known.layers.size() == request.layers.size() && complete(place, known)) {
            out.manifest = std::move(known);
            out.manifest_json = request.manifest_json;
            out.manifest_digest = "sha256:" + sha256_hex(request.manifest_json);
            return out;
        }
    }
    auto diff_ids = parse_config(request.config_json).diff_ids;
    if (diff_ids.size() != request.layers.size()) throw Error("the image's layers do not fit its config");
    out.manifest.media_type = media::kOciManifest;
    for (std::size_t i = 0; i < request.layers.size(); ++i) {
        if (known.layers.size() == request.layers.size() && place.blobs.has(known.layers[i].digest)) {
            out.manifest.layers.push_back(known.layers[i]);
            continue;
        }
        const auto packed = find_or_pack(place, request, request.layers[i], diff_ids[i], interrupt);
        out.manifest.layers.push_back(packed.blob);
        if (packed.diff_id == diff_ids[i]) continue;
        diff_ids[i] = packed.diff_id;
        out.faithful = false;
    }
    if (!out.faithful) out.config_json = with_diff_ids(request.config_json, diff_ids);
    out.manifest.config.media_type = media::kOciConfig;
    out.manifest.config.size = static_cast<std::int64_t>(out.config_json.size());
    out.manifest.config.digest = config_digest(out.config_json);
    out.manifest_json = render_manifest(out.manifest);
    out.manifest_digest = "sha256:" + sha256_hex(out.manifest_json);
    return out;
}

}  // namespace compose::image
