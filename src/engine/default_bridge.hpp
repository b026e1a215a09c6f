// `network_mode: bridge`: the network that containers made by hand share, too. There are addresses on it, and no names.
#pragma once

#include <compose/project.hpp>

namespace compose::engine {

/// Does any service ask for it?
[[nodiscard]] bool uses_default_bridge(const Project& project);
/// The project with that mode spelled out: as an external network.
[[nodiscard]] Project with_default_bridge(Project project);

}  // namespace compose::engine
