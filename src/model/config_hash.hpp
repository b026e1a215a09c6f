// The identity of a definition: what must be recreated when it changes.
#pragma once

#include <string>

#include "model/node.hpp"

namespace compose {

/// The canonical JSON that service_hash() is made over.
[[nodiscard]] std::string service_definition(const Node& service);
/// SHA-256 over the canonical JSON of a service, without what only decides how many containers there are, where the
/// image comes from and in which order things start.
[[nodiscard]] std::string service_hash(const Node& service);
/// The canonical JSON of a network or volume, its real name included; extensions are notes for other tools.
[[nodiscard]] std::string resource_definition(const Node& resource);
[[nodiscard]] std::string resource_hash(const Node& resource);

}  // namespace compose
