#include "supervisor/volume_mounts.hpp"

#include "base/error.hpp"
#include "sys/file.hpp"
#include "sys/volume_mount.hpp"

namespace compose::supervisor {

void mount_once(const store::Volume& volume, const std::string& folder) {
    if (volume.driver_opts.empty() || sys::is_mount_point(folder)) return;
    // Of several at once one mounts it: a second mount would stay when the volume goes.
    const auto lock = sys::FileLock::acquire(folder + "/../lock", std::chrono::minutes(1));
    if (!lock) throw make_error(ErrorKind::conflict, "volume {}: another command mounts it, and hangs", volume.name);
    if (sys::is_mount_point(folder)) return;
    const auto option = [&](const char* key) {
        const auto found = volume.driver_opts.find(key);
        return found == volume.driver_opts.end() ? std::string{} : found->second;
    };
    in_context([&] { return "volume " + volume.name; },
               [&] {
                   sys::mount_volume({option("type"), option("device"), option("o")}, folder);
               });
}

}  // namespace compose::supervisor
