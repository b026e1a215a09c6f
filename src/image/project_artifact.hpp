// A Compose project as an OCI artifact, in the form that Docker Compose publishes and reads: one blob a file, what each
// is in its media type, what it is called in an annotation. Names come from a stranger and become files: they are
// checked here. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/manifest.hpp"

namespace compose::image {

namespace media {
inline constexpr std::string_view kComposeProject = "application/vnd.docker.compose.project";
inline constexpr std::string_view kComposeFile = "application/vnd.docker.compose.file+yaml";
inline constexpr std::string_view kComposeVariables = "application/vnd.docker.compose.envfile";
inline constexpr std::string_view kComposeConfig = "application/vnd.docker.compose.config.empty.v1+json";  // OCI 1.0
inline constexpr std::string_view kOciEmpty = "application/vnd.oci.empty.v1+json";                         // OCI 1.1
}  // namespace media

inline constexpr std::size_t kMaxProjectFile = std::size_t{16} << 20U;
inline constexpr std::int64_t kMaxProject = std::int64_t{64} << 20U;  // of all its files
/// The file that all of the project's Compose files become, as documents one after the other.
inline constexpr std::string_view kProjectFile = "compose.yaml";

enum class PartKind {
    compose,    // one of the project's files
    extended,   // what `extends` of another one names
    variables,  // an env file
};

/// A file that is to be published.
struct ProjectPart {
    PartKind kind = PartKind::compose;
    std::string name;  // without a folder
    std::string text;
};

enum class OciVersion { v1_0, v1_1 };

struct PackedProject {
    Descriptor manifest;
    std::string manifest_json;
    std::vector<std::pair<Descriptor, std::string>> blobs;  // with the config's; the manifest is not among them
};
/// `created` as RFC 3339 has it; `version` is this program's.
[[nodiscard]] PackedProject pack_project(const std::vector<ProjectPart>& parts, OciVersion oci,
                                         const std::string& created, const std::string& version);

/// The list of a project's images, for `subject`, its manifest: whoever has the project finds the images beside it.
[[nodiscard]] Index index_of_images(const std::vector<Descriptor>& images, const Descriptor& subject,
                                    const std::string& version);

/// A blob of a published project, and the file that it goes to; several may go to kProjectFile.
struct PublishedPart {
    PartKind kind = PartKind::compose;
    std::string name;
    Descriptor blob;
};
/// In order; blobs of other kinds are left out. Throws Error(invalid) when it is no Compose project, names a file that
/// can't be one, or the same one twice, or is too large.
[[nodiscard]] std::vector<PublishedPart> parts_of(const Manifest& manifest);
/// Where in a list the project stands; throws Error(invalid) when it doesn't.
[[nodiscard]] const Descriptor& project_in(const Index& index);

}  // namespace compose::image
