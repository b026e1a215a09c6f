// The merged content of overlay layers without a mount point: a mount that lives as long as its descriptor.
#pragma once

#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// Read-only root of `lowers` (folders, topmost first). Needs the right to mount.
[[nodiscard]] Fd open_overlay_view(const std::vector<std::string>& lowers);

}  // namespace compose::sys
