// What the flags of `run` change about a service.
#pragma once

#include <compose/project.hpp>
#include <optional>
#include <string>
#include <vector>

namespace compose::cli {

class Context;

struct RunOverride {
    std::string service;
    std::vector<std::string> command, cap_add, cap_drop, environment, env_files, labels, publish, volumes;
    std::optional<std::string> entrypoint, user, working_dir;
    bool terminal = false, input = true;
};

/// A copy of the project in which the service is as `run` wants it: no restart policy, its own command, variables
/// (-e over --env-from-file over the file's), ports of -p instead of its own when there are any. Throws Error(usage).
[[nodiscard]] Project overridden(Context& context, const Project& project, const RunOverride& change);

}  // namespace compose::cli
