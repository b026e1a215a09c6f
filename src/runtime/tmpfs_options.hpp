// The option text of a tmpfs, as mount(8) has it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace compose::runtime {

struct TmpfsOptions {
    std::uint64_t attributes = 0;  // MOUNT_ATTR_*; nosuid, nodev and noexec unless the text says otherwise
    std::vector<std::pair<std::string, std::string>> values;  // for the file system itself: size, mode, uid, …
};

/// "size=64m,mode=1777,exec". Throws Error(invalid) on an option that tmpfs has not.
[[nodiscard]] TmpfsOptions parse_tmpfs_options(const std::string& text);

}  // namespace compose::runtime
