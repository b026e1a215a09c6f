// What this machine is.
#pragma once

#include <cstdint>
#include <string>

namespace compose::sys {

struct HostIdentity {
    std::string name, kernel, machine;  // as uname(2) has them
    int cpus = 1;                       // online
    std::int64_t memory = 0;            // bytes
};
[[nodiscard]] HostIdentity host_identity();
/// Does the kernel confine programs by AppArmor profiles? `root`: of /sys, for tests.
[[nodiscard]] bool has_apparmor(const std::string& root = "");
/// Does it label programs and files by an SELinux policy, enforced or not?
[[nodiscard]] bool has_selinux();

}  // namespace compose::sys
