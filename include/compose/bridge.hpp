// Transformations: images that turn the model of a project into files for another platform. What they read, and what
// becomes of what they write; running them is the front end's business.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <string>
#include <vector>

namespace compose {

class Containers;

/// Images that are transformations have it, with the value "transformation".
inline constexpr const char* kTransformationLabel = "com.docker.compose.bridge";
inline constexpr const char* kDefaultTransformation = "docker/compose-bridge-kubernetes";

/// What a model only names, by the keys of the model.
struct BridgeFacts {
    std::map<std::string, std::vector<std::string>> exposed;  // services: ports of their images, "80/tcp"
    std::map<std::string, std::string> configs, secrets;      // their content
};
/// The model as a transformation reads it, YAML: what `config` prints, but each `$` once, with the image of every
/// service, all ports that it listens on under `expose`, and the content of configs and secrets.
[[nodiscard]] std::string bridge_model(const LoadedProject& loaded, const BridgeFacts& facts);

/// Is there anything in the folder? False when there is no such folder; throws when it is something else.
[[nodiscard]] bool has_files(const std::string& folder);
/// Makes `folder` hold what lies in `from` and nothing else; it is made when missing. A stranger's program has filled
/// `from`: files and folders are taken over as the caller's, without set-id bits. What else there is goes from `from`:
/// device nodes, sockets, pipes, and links that lead nowhere or out of it. Returns the paths of those.
std::vector<std::string> replace_files(const std::string& from, const std::string& folder);
/// Copies the content of /templates out of a container into the folder "templates" of `folder`, which must not be there
/// yet and is not when this throws. Returns what was left out, as replace_files().
std::vector<std::string> copy_templates(Containers& containers, const std::string& id, const std::string& folder);

}  // namespace compose
