// volumes_from: the mounts that one container takes over from others, as those were made.
#pragma once

#include <compose/project.hpp>
#include <string>
#include <vector>

#include "runtime/spec.hpp"
#include "store/store.hpp"

namespace compose::engine {

/// Volumes and binds of the containers that the service names; what is mounted on a target of `taken` is left out.
/// Throws Error(not_found) when there is no such container.
[[nodiscard]] std::vector<runtime::MountSpec> shared_mounts(const Service& service, const std::string& project,
                                                            const store::Store& store, std::vector<std::string> taken);

/// "service:X" or "container:X" -> the name of the container that is meant: of a service the first one.
[[nodiscard]] std::string container_meant_by(const std::string& reference, const Project& project,
                                             const store::Store& store);

}  // namespace compose::engine
