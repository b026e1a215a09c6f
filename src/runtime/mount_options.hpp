// The option texts of mounts, as mount(8) has them. Pure.
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

/// What changes of what a bind has from its source.
struct MountAttributes {
    std::uint64_t set = 0, cleared = 0;  // MOUNT_ATTR_*
    [[nodiscard]] bool empty() const { return set == 0 && cleared == 0; }
};
struct BindOptions {
    MountAttributes own;  // of the mount itself
    MountAttributes all;  // of those below it too
};

/// "nosuid,nodev,rnoexec". Throws Error(invalid) on an option that a bind can't have.
[[nodiscard]] BindOptions parse_bind_options(const std::string& text);

}  // namespace compose::runtime
