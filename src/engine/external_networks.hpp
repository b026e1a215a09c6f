// Networks that the file only names: the rows say what they are.
#pragma once

#include <compose/project.hpp>

#include "store/store.hpp"

namespace compose::engine {

/// The project with the driver, the families and the gateway modes of its external networks, as far as they are there:
/// what a plan needs to know of the ports of the host.
[[nodiscard]] Project with_external_networks(Project project, const store::Store& store);

}  // namespace compose::engine
