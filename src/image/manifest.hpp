// The JSON documents that say what an image consists of: OCI and Docker (version 2, schema 2) manifests and indexes.
// Strict about what they promise (kinds, digests, sizes), blind to what it doesn't know. Artifacts, which are no images
// but travel in the same documents, are read by a door of their own. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "image/platform.hpp"

namespace compose::image {

inline constexpr std::size_t kMaxManifest = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxConfig = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxLayers = 500;  // overlayfs takes no more

namespace media {
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
}  // namespace media

using Annotations = std::map<std::string, std::string>;

struct Descriptor {
    std::string media_type;
    std::string digest;  // "sha256:<64 hex>"
    std::int64_t size = 0;
    std::optional<Platform> platform;  // in an index
    std::string name;                  // annotation org.opencontainers.image.ref.name, in an index
    std::string full_name;             // annotation io.containerd.image.name
    bool attestation = false;          // says something about another entry
    // Of artifacts only.
    std::string artifact_type{};
    Annotations annotations{};
};

struct Manifest {
    std::string media_type;
    Descriptor config;
    std::vector<Descriptor> layers;  // lowest first
    // Of artifacts only.
    std::string artifact_type{};
    Annotations annotations{};
};

struct Index {
    std::string media_type;
    std::vector<Descriptor> manifests;
    // Of artifacts only.
    std::string artifact_type{};
    std::optional<Descriptor> subject;  // the manifest that it belongs to
    Annotations annotations{};
};

/// `content_type` is what the server called it; empty when nobody did. Throws Error(invalid).
[[nodiscard]] std::variant<Manifest, Index> parse_manifest(std::string_view text, std::string_view content_type);
/// The same for what need not be an image: configs and layers of any type are taken, annotations are kept.
[[nodiscard]] std::variant<Manifest, Index> parse_artifact(std::string_view text, std::string_view content_type);
/// Deterministic.
[[nodiscard]] std::string render_manifest(const Manifest& manifest);
[[nodiscard]] std::string render_index(const Index& index);
/// The entry for the platform; throws Error(not_found) that lists what there is.
[[nodiscard]] const Descriptor& choose(const Index& index, const Platform& wanted);

}  // namespace compose::image
