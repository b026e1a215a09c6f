#include "image/manifest.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "image/reference.hpp"

namespace compose::image {

namespace {

constexpr std::int64_t kMaxBlob = std::int64_t{1} << 40U;
constexpr std::size_t kMaxEntries = 1000;

[[noreturn]] void fail(std::string_view why) {
    throw make_error(ErrorKind::invalid, "bad manifest: {}", why);
}

const json::object& object_of(const json::value* value, const char* what) {
    if (value == nullptr || !value->is_object()) fail(fmt::format("{} is no object", what));
    return value->get_object();
}

std::string text_of(const json::object& object, std::string_view key, const char* what) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_string().size() > 4096) fail(fmt::format("{}: {} is no text", what, key));
    return std::string(value->get_string());
}

enum class Content { image, artifact };

Annotations read_annotations(const json::object& object, const char* what) {
    Annotations out;
    const auto* notes = object.if_contains("annotations");
    if (notes == nullptr || notes->is_null()) return out;
    if (!notes->is_object()) fail(fmt::format("{}: annotations is no object", what));
    for (const auto& [key, value] : notes->get_object()) {
        if (!value.is_string() || value.get_string().size() > 4096)
            fail(fmt::format("{}: annotation {} is no text", what, quote(std::string(key).substr(0, 80))));
        out.emplace(key, value.get_string());
    }
    return out;
}

Descriptor read_descriptor(const json::value* value, const char* what, Content content = Content::image) {
    const auto& object = object_of(value, what);
    Descriptor out;
    out.media_type = text_of(object, "mediaType", what);
    out.digest = text_of(object, "digest", what);
    if (!is_digest(out.digest)) fail(fmt::format("{}: {} is no digest", what, quote(out.digest.substr(0, 80))));
    const auto* size = object.if_contains("size");
    if (size == nullptr || !(size->is_int64() || size->is_uint64())) fail(fmt::format("{} has no size", what));
    if (size->is_uint64() || size->get_int64() < 0 || size->get_int64() > kMaxBlob)
        fail(fmt::format("{}: a size of {} can't be", what, json::serialize(*size)));
    out.size = size->get_int64();
    if (content == Content::artifact) {
        out.artifact_type = text_of(object, "artifactType", what);
        out.annotations = read_annotations(object, what);
    }
    return out;
}

bool is_layer_type(std::string_view type) {
    return type.starts_with("application/vnd.oci.image.layer.") ||
           type.starts_with("application/vnd.docker.image.rootfs.");
}

void check_layer(const Descriptor& layer) {
    if (layer.media_type.empty() || is_layer_type(layer.media_type)) {
        if (layer.media_type.find("+encrypted") == std::string::npos) return;
        throw make_error(ErrorKind::invalid, "layer {} is encrypted, which is not supported", layer.digest);
    }
    throw make_error(ErrorKind::invalid, "it is no container image: it has a layer of type {}",
                     quote(layer.media_type.substr(0, 120)));
}

void check_config_type(const std::string& type) {
    if (!type.empty() && type != media::kOciConfig && type != media::kDockerConfig)
        throw make_error(ErrorKind::invalid, "it is no container image but {}", quote(type.substr(0, 120)));
}

Manifest read_manifest(const json::object& object, std::string type, Content content) {
    Manifest out;
    out.media_type = std::move(type);
    out.config = read_descriptor(object.if_contains("config"), "config", content);
    if (content == Content::artifact) {
        out.artifact_type = text_of(object, "artifactType", "manifest");
        out.annotations = read_annotations(object, "manifest");
    } else {
        check_config_type(out.config.media_type);
    }
    const auto* layers = object.if_contains("layers");
    if (layers == nullptr || !layers->is_array()) fail("layers is no list");
    if (layers->get_array().size() > kMaxLayers)
        fail(fmt::format("{} layers are more than {}", layers->get_array().size(), kMaxLayers));
    for (const auto& entry : layers->get_array()) {
        out.layers.push_back(read_descriptor(&entry, "layer", content));
        if (content == Content::image) check_layer(out.layers.back());
    }
    return out;
}

Index read_index(const json::object& object, std::string type, Content content) {
    Index out;
    out.media_type = std::move(type);
    const auto* entries = object.if_contains("manifests");
    if (!entries->is_array() || entries->get_array().size() > kMaxEntries) fail("manifests is no list, or too long");
    for (const auto& entry : entries->get_array()) {
        auto item = read_descriptor(&entry, "manifest", content);
        if (const auto* platform = entry.get_object().if_contains("platform")) {
            const auto& given = object_of(platform, "platform");
            item.platform = Platform{text_of(given, "os", "platform"), text_of(given, "architecture", "platform"),
                                     text_of(given, "variant", "platform")};
        }
        if (const auto* notes = entry.get_object().if_contains("annotations"); notes != nullptr && notes->is_object()) {
            item.name = string_or(notes->get_object(), "org.opencontainers.image.ref.name");
            item.full_name = string_or(notes->get_object(), "io.containerd.image.name");
            item.attestation = notes->get_object().contains("vnd.docker.reference.type");
        }
        out.manifests.push_back(std::move(item));
    }
    return out;
}

bool is_index_type(std::string_view type) {
    return type == media::kOciIndex || type == media::kDockerIndex;
}
bool is_manifest_type(std::string_view type) {
    return type == media::kOciManifest || type == media::kDockerManifest;
}

/// What the document is, by what it says of itself and what the server called it: they must agree.
std::string settle_type(std::string declared, std::string_view content_type) {
    const auto served = lower(trim(content_type.substr(0, content_type.find(';'))));
    const bool meaningful = is_index_type(served) || is_manifest_type(served);
    if (served.find("manifest.v1+") != std::string::npos && served.find("docker") != std::string::npos)
        fail("the image is in Docker's old format (schema 1), which is not supported");
    if (meaningful && !declared.empty() && declared != served)
        fail(fmt::format("it says that it is {}, the server says {}", quote(declared.substr(0, 120)), quote(served)));
    if (declared.empty() && meaningful) return served;
    return declared;
}

json::object render(const Descriptor& descriptor) {
    json::object out{{"mediaType", descriptor.media_type}, {"digest", descriptor.digest}, {"size", descriptor.size}};
    if (descriptor.platform) {
        json::object platform{{"architecture", descriptor.platform->architecture}, {"os", descriptor.platform->os}};
        if (!descriptor.platform->variant.empty()) platform["variant"] = descriptor.platform->variant;
        out["platform"] = platform;
    }
    json::object notes;
    if (!descriptor.full_name.empty()) notes["io.containerd.image.name"] = descriptor.full_name;
    if (!descriptor.name.empty()) notes["org.opencontainers.image.ref.name"] = descriptor.name;
    for (const auto& [key, value] : descriptor.annotations) notes[key] = value;
    if (!notes.empty()) out["annotations"] = notes;
    if (!descriptor.artifact_type.empty()) out["artifactType"] = descriptor.artifact_type;
    return out;
}

void add_annotations(json::object& object, const Annotations& annotations) {
    if (annotations.empty()) return;
    json::object notes;
    for (const auto& [key, value] : annotations) notes[key] = value;
    object["annotations"] = std::move(notes);
}

std::variant<Manifest, Index> parse(std::string_view text, std::string_view content_type, Content content) {
    if (text.size() > kMaxManifest) fail("it is longer than 4 MiB");
    const auto value = in_context([] { return "bad manifest"; }, [&] { return parse_json(text); });
    if (!value.is_object()) fail("it is no JSON object");
    const auto& object = value.get_object();
    const auto* version = object.if_contains("schemaVersion");
    if (version == nullptr || !version->is_int64()) fail("it has no schemaVersion");
    if (version->get_int64() == 1) fail("the image is in Docker's old format (schema 1), which is not supported");
    if (version->get_int64() != 2) fail(fmt::format("schemaVersion {} is not known", version->get_int64()));
    const bool lists = object.contains("manifests");
    const bool layers = object.contains("layers") || object.contains("config");
    if (lists == layers)
        fail(lists ? "it is both an image and a list of images" : "it lists neither layers nor images");
    auto type = settle_type(text_of(object, "mediaType", "manifest"), content_type);
    if (type.empty()) type = lists ? media::kOciIndex : media::kOciManifest;
    if (!(lists ? is_index_type(type) : is_manifest_type(type)))
        fail(fmt::format("its content does not fit its type {}", quote(type.substr(0, 120))));
    if (lists) return read_index(object, type, content);
    return read_manifest(object, type, content);
}

}  // namespace

std::variant<Manifest, Index> parse_manifest(std::string_view text, std::string_view content_type) {
    return parse(text, content_type, Content::image);
}

std::variant<Manifest, Index> parse_artifact(std::string_view text, std::string_view content_type) {
    return parse(text, content_type, Content::artifact);
}

std::string render_manifest(const Manifest& manifest) {
    json::array layers;
    for (const auto& layer : manifest.layers) layers.push_back(render(layer));
    json::object out{{"schemaVersion", 2}, {"mediaType", manifest.media_type}};
    if (!manifest.artifact_type.empty()) out["artifactType"] = manifest.artifact_type;
    out["config"] = render(manifest.config);
    out["layers"] = std::move(layers);
    add_annotations(out, manifest.annotations);
    return json::serialize(out);
}

std::string render_index(const Index& index) {
    json::array entries;
    for (const auto& entry : index.manifests) entries.push_back(render(entry));
    json::object out{{"schemaVersion", 2}, {"mediaType", index.media_type}};
    if (!index.artifact_type.empty()) out["artifactType"] = index.artifact_type;
    out["manifests"] = std::move(entries);
    if (index.subject) out["subject"] = render(*index.subject);
    add_annotations(out, index.annotations);
    return json::serialize(out);
}

const Descriptor& choose(const Index& index, const Platform& wanted) {
    const Descriptor* best = nullptr;
    const Descriptor* unnamed = nullptr;
    int best_match = 0;
    std::vector<std::string> offered;
    for (const auto& entry : index.manifests) {
        if (entry.attestation) continue;
        if (!entry.platform) {
            if (unnamed == nullptr) unnamed = &entry;
            continue;
        }
        if (const int match = platform_match(*entry.platform, wanted); match > best_match) {
            best = &entry;
            best_match = match;
        }
        if (entry.platform->os != "unknown") offered.push_back(entry.platform->to_string());
    }
    if (best != nullptr) return *best;
    if (offered.empty() && unnamed != nullptr) return *unnamed;  // the config will say
    throw make_error(ErrorKind::not_found, "there is no image for {}, only for {}", wanted.to_string(),
                     offered.empty() ? "nothing" : join(offered, ", "));
}

}  // namespace compose::image
