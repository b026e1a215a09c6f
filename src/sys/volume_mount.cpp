#include "sys/volume_mount.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "base/strings.hpp"
#include "sys/error.hpp"

namespace compose::sys {
namespace {

struct Flag {
    std::string_view name;
    unsigned long set;
    unsigned long clear;
};
constexpr Flag kFlags[] = {
    {"ro", MS_RDONLY, 0},         {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},     {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},       {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},     {"exec", 0, MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS, 0},  {"async", 0, 0},
    {"noatime", MS_NOATIME, 0},   {"atime", 0, MS_NOATIME},
    {"relatime", MS_RELATIME, 0}, {"nodiratime", MS_NODIRATIME, 0},
    {"dirsync", MS_DIRSYNC, 0},   {"defaults", 0, 0},
};

}  // namespace

void mount_volume(const VolumeMount& what, const std::string& target) {
    // A device file on a volume must open nothing, whatever is on it.
    unsigned long flags = MS_NODEV | MS_NOSUID;
    std::vector<std::string> rest;
    for (auto& option : split(what.options, ',')) {
        if (option.empty()) continue;
        bool known = false;
        for (const Flag& flag : kFlags)
            if (flag.name == option) {
                flags = (flags & ~flag.clear) | flag.set;
                known = true;
            }
        if (!known) rest.push_back(std::move(option));
    }
    const std::string data = join(rest, ",");
    if (::mount(what.device.c_str(), target.c_str(), what.type.c_str(), flags, data.empty() ? nullptr : data.c_str()) !=
        0)
        throw errno_error("mount {} ({}{}{}) on {}", what.device, what.type, what.options.empty() ? "" : ": ",
                          what.options, target);
}

bool is_mount_point(const std::string& path) {
    struct statx info {};
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, 0, &info) != 0) return false;
    return (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
           (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void unmount_volume(const std::string& path) {
    if (::umount2(path.c_str(), UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
        throw errno_error("unmount {}", path);
}

}  // namespace compose::sys
