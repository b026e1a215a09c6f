#include "image/project_artifact.hpp"

#include <algorithm>
#include <set>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::image {

namespace {

constexpr const char* kVersionNote = "com.docker.compose.version";
constexpr const char* kFileNote = "com.docker.compose.file";
constexpr const char* kExtendedNote = "com.docker.compose.extends";
constexpr const char* kVariablesNote = "com.docker.compose.envfile";
constexpr std::string_view kEmptyConfig = "{}";

Descriptor describe(std::string_view media_type, std::string_view text) {
    Descriptor out;
    out.media_type = media_type;
    out.digest = "sha256:" + sha256_hex(text);
    out.size = static_cast<std::int64_t>(text.size());
    return out;
}

Descriptor describe(const ProjectPart& part, const std::string& version) {
    const bool variables = part.kind == PartKind::variables;
    auto out = describe(variables ? media::kComposeVariables : media::kComposeFile, part.text);
    out.annotations[kVersionNote] = version;
    out.annotations[variables ? kVariablesNote : kFileNote] = part.name;
    if (part.kind == PartKind::extended) out.annotations[kExtendedNote] = "true";
    return out;
}

std::string note(const Descriptor& blob, const char* key) {
    const auto found = blob.annotations.find(key);
    return found == blob.annotations.end() ? std::string() : found->second;
}

/// A name without a folder that leads nowhere else, and that a terminal shows as it is.
void check_name(const std::string& name) {
    const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
        return c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    });
    if (odd || name.empty() || name == "." || name == ".." || name.size() > 255)
        throw make_error(ErrorKind::invalid, "it is no sound artifact: a file can't be called {}",
                         quote(name.substr(0, 80)));
}

bool is_project(const Manifest& manifest) {
    if (!manifest.artifact_type.empty()) return manifest.artifact_type == media::kComposeProject;
    return manifest.config.media_type == media::kComposeConfig;
}

}  // namespace

PackedProject pack_project(const std::vector<ProjectPart>& parts, OciVersion oci, const std::string& created,
                           const std::string& version) {
    PackedProject out;
    Manifest manifest;
    manifest.media_type = media::kOciManifest;
    // The older form has no field for what an artifact is: its config's type says it.
    manifest.config = describe(oci == OciVersion::v1_1 ? media::kOciEmpty : media::kComposeConfig, kEmptyConfig);
    if (oci == OciVersion::v1_1) manifest.artifact_type = media::kComposeProject;
    manifest.annotations["org.opencontainers.image.created"] = created;
    out.blobs.emplace_back(manifest.config, kEmptyConfig);
    for (const auto& part : parts) {
        check_name(part.name);
        manifest.layers.push_back(describe(part, version));
        out.blobs.emplace_back(manifest.layers.back(), part.text);
    }
    out.manifest_json = render_manifest(manifest);
    out.manifest = describe(media::kOciManifest, out.manifest_json);
    out.manifest.artifact_type = manifest.artifact_type;
    out.manifest.annotations[kVersionNote] = version;
    return out;
}

Index index_of_images(const std::vector<Descriptor>& images, const Descriptor& subject, const std::string& version) {
    Index out;
    out.media_type = media::kOciIndex;
    out.artifact_type = media::kComposeProject;
    out.manifests = images;
    out.subject = subject;
    out.annotations[kVersionNote] = version;
    return out;
}

std::vector<PublishedPart> parts_of(const Manifest& manifest) {
    if (!is_project(manifest)) {
        const auto& type = manifest.artifact_type.empty() ? manifest.config.media_type : manifest.artifact_type;
        throw make_error(ErrorKind::invalid, "it is no Compose project but {}", quote(type.substr(0, 120)));
    }
    std::vector<PublishedPart> out;
    std::set<std::string> names{std::string(kProjectFile)};
    std::int64_t total = 0;
    for (const auto& layer : manifest.layers) {
        PublishedPart part{.kind = PartKind::compose, .name = std::string(kProjectFile), .blob = layer};
        if (layer.media_type == media::kComposeVariables) {
            part.kind = PartKind::variables;
            part.name = note(layer, kVariablesNote);
        } else if (layer.media_type != media::kComposeFile) {
            continue;
        } else if (layer.annotations.contains(kExtendedNote)) {
            part.kind = PartKind::extended;
            part.name = note(layer, kFileNote);
        }
        check_name(part.name);
        if (part.kind != PartKind::compose && !names.insert(part.name).second)
            throw make_error(ErrorKind::invalid, "it is no sound artifact: two of its files are called {}",
                             quote(part.name));
        total += layer.size;
        if (static_cast<std::size_t>(layer.size) > kMaxProjectFile || total > kMaxProject)
            throw make_error(ErrorKind::invalid, "its files are too large for a Compose project: {} bytes", total);
        out.push_back(std::move(part));
    }
    const auto is_compose = [](const PublishedPart& part) { return part.kind == PartKind::compose; };
    if (std::none_of(out.begin(), out.end(), is_compose))
        throw make_error(ErrorKind::invalid, "it holds no Compose file");
    return out;
}

const Descriptor& project_in(const Index& index) {
    for (const auto& entry : index.manifests)
        if (entry.artifact_type == media::kComposeProject) return entry;
    throw make_error(ErrorKind::invalid, "it is a list of images and names no Compose project");
}

}  // namespace compose::image
