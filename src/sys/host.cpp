#include "sys/host.hpp"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

HostIdentity host_identity() {
    struct utsname names {};
    struct sysinfo info {};
    if (::uname(&names) != 0) throw errno_error("uname");
    if (::sysinfo(&info) != 0) throw errno_error("sysinfo");
    return {names.nodename, names.release, names.machine, ::get_nprocs(),
            static_cast<std::int64_t>(info.totalram) * info.mem_unit};
}

bool has_apparmor(const std::string& root) {
    const auto enabled = read_file_if_exists(root + "/sys/module/apparmor/parameters/enabled");
    return enabled && enabled->starts_with('Y');
}

bool has_selinux() {
    return exists("/sys/fs/selinux/enforce");  // mounted there once a policy is loaded
}

}  // namespace compose::sys
