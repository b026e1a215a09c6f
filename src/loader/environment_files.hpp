// The variables and labels that services take from files and from the project's environment: env_file, label_file, keys
// without a value, build arguments.
#pragma once

#include <map>
#include <set>
#include <string>

#include "loader/compose_file.hpp"
#include "model/node.hpp"

namespace compose {

/// For each service named in `services`. The attributes `env_file` and `label_file` are gone afterwards. `folder` is
/// what paths that are still relative are relative to. `trace` (may be null) learns which values lost.
void resolve_environment(LoadSession& session, Node& root, const std::set<std::string>& services,
                         const Environment& environment, const std::string& folder);

}  // namespace compose
