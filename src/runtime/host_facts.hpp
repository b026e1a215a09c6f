// Finds out what plans need to know about this host and this process.
#pragma once

#include "runtime/cgroup.hpp"
#include "runtime/launch_plan.hpp"

namespace compose::runtime {

/// What does not change while the process lives; worked out at the first call.
[[nodiscard]] const HostFacts& fixed_host_facts();
/// With what depends on the container: where its cgroups are, and the host's devices if it may have them.
[[nodiscard]] HostFacts host_facts_for(const ContainerSpec& spec, const Cgroup& cgroup);

}  // namespace compose::runtime
