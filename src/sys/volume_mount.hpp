// File systems that stand behind volumes: mounted on the host where the volume's folder is, as mount(8) would.
#pragma once

#include <string>

namespace compose::sys {

struct VolumeMount {
    std::string type;     // "tmpfs", "nfs", "ext4"
    std::string device;   // what is mounted: "tmpfs", ":/export", "/dev/sdb1"
    std::string options;  // as for mount -o: "size=100m,uid=1000,ro"
};

/// Nothing else is run for it: the text goes to the kernel. Throws Error.
void mount_volume(const VolumeMount& what, const std::string& target);
[[nodiscard]] bool is_mount_point(const std::string& path);
/// No error when nothing is mounted there.
void unmount_volume(const std::string& path);

}  // namespace compose::sys
