// Volumes with a file system of their own.
#pragma once

#include <string>

#include "store/records.hpp"

namespace compose::supervisor {

/// Mounts it on `folder`, the volume's own one, unless it is: at its first use since the host was started. It stays so
/// until the volume is removed: what is in memory outlives the containers. Nothing for volumes without driver_opts.
void mount_once(const store::Volume& volume, const std::string& folder);

}  // namespace compose::supervisor
