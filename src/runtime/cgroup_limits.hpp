// Writes what a container may use into the files of its cgroup, in the words of v1 and of v2.
#pragma once

#include <vector>

#include "runtime/cgroup_place.hpp"
#include "runtime/device_rules.hpp"

namespace compose::runtime {

/// Its directories are there. A limit that this host can't keep is an error.
void write_limits(const CgroupPlace& place, const Resources& resources);
/// The default rules and `more`.
void restrict_devices(const CgroupPlace& place, const std::vector<DeviceRule>& more);

}  // namespace compose::runtime
