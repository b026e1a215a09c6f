// A file as a block device. The device goes away by itself with its last user: whoever has it open, or a file system
// that is mounted from it.
#pragma once

#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

struct LoopDevice {
    Fd fd;
    std::string path;  // "/dev/loop3"
};

/// The device that `file` already has, or a new one: two for one file would destroy what is in it, so there is never
/// more than one, whoever asks at the same time. Throws Error; unavailable when this host gives no loop devices.
[[nodiscard]] LoopDevice open_loop_device(const std::string& file);

}  // namespace compose::sys
