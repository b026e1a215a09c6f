// What `system info` tells about this machine and this installation.
#include <compose/objects.hpp>

#include "base/strings.hpp"
#include "store/store.hpp"
#include "sys/file.hpp"
#include "sys/host.hpp"

namespace compose {

HostDescription host_description(const EngineOptions& options) {
    const store::Layout layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    const store::Store store(layout);
    const sys::HostIdentity identity = sys::host_identity();
    HostDescription host;
    host.installation = store.installation_id();
    host.state_folder = layout.state;
    host.name = identity.name;
    host.kernel = identity.kernel;
    host.machine = identity.machine;
    host.architecture = identity.machine == "x86_64"    ? "amd64"
                        : identity.machine == "aarch64" ? "arm64"
                                                        : identity.machine;
    host.cpus = identity.cpus;
    host.memory = identity.memory;
    host.cgroup_version = sys::exists("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;
    host.apparmor = sys::has_apparmor();
    host.system = "Linux";
    const auto release = sys::read_file_if_exists("/etc/os-release");
    for (const std::string& line : split(release.value_or(""), '\n'))
        if (line.starts_with("PRETTY_NAME=")) {
            const auto words = shell_split(line.substr(12));
            if (!words.empty()) host.system = words.front();
        }
    return host;
}

}  // namespace compose
