// The merged content of overlay layers without a mount point: a mount that lives as long as its descriptor.
#pragma once

#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// Read-only root of `lowers` (folders, topmost first). Needs the right to mount.
[[nodiscard]] Fd open_overlay_view(const std::vector<std::string>& lowers);
/// The same, with what is written going into `upper`; `work` is an empty folder beside it. Without lowers it is `upper`
/// itself.
[[nodiscard]] Fd open_writable_overlay(const std::vector<std::string>& lowers, const std::string& upper,
                                       const std::string& work);

}  // namespace compose::sys
