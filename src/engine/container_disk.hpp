// The disk of a container whose own files may only take so much: where it lies, and how it is made.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/spec.hpp"
#include "sys/disk.hpp"

namespace compose::engine {

/// In the container's folder, whether it has one or not.
[[nodiscard]] sys::Disk disk_in(const std::string& folder);
/// The one it has; none when its files are in its folder itself. Whoever reads its upper folder visits it first.
[[nodiscard]] sys::Disk disk_of(const runtime::ContainerSpec& spec);
/// Upper and work directory, in the folder or on a disk of `size` bytes there (0: none).
void make_root_folders(const std::string& folder, std::int64_t size);

}  // namespace compose::engine
