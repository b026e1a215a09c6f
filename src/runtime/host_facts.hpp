// Finds out what plans need to know about this host and this process.
#pragma once

#include "runtime/cgroup.hpp"
#include "runtime/device_rules.hpp"
#include "runtime/launch_plan.hpp"

namespace compose::runtime {

/// What does not change while the process lives; worked out at the first call.
[[nodiscard]] const HostFacts& fixed_host_facts();
/// With what depends on the container: where its cgroups are, and the host's devices if it may have them.
[[nodiscard]] HostFacts host_facts_for(const ContainerSpec& spec, const Cgroup& cgroup);

/// The devices that the spec names, as the host has them now. Throws Error(invalid) for one that is not there.
[[nodiscard]] std::vector<DeviceNode> wanted_devices(const ContainerSpec& spec);
/// What the container may use beside the default devices: `devices` and the spec's own rules.
[[nodiscard]] std::vector<DeviceRule> device_rules_of(const ContainerSpec& spec,
                                                      const std::vector<DeviceNode>& devices);

}  // namespace compose::runtime
