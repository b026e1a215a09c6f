// The system call filter of a container as a BPF program. Pure: the program depends on the capabilities alone.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/capabilities.hpp"

struct sock_filter;

namespace compose::runtime {

/// Known but forbidden calls give EPERM; numbers that the table does not know give ENOSYS, so that a newer libc falls
/// back to older calls. Every architecture that the kernel can run here has its own table; others are killed.
[[nodiscard]] std::vector<sock_filter> seccomp_program(CapabilitySet capabilities);

struct KernelVersion {
    unsigned major = 0, minor = 0;
};
/// Of a profile in Docker's JSON format. Numbers that no table knows give ENOSYS where the profile's default is an
/// error; architectures that it does not list are killed. Throws Error(invalid) with what is wrong with the profile.
[[nodiscard]] std::vector<sock_filter> seccomp_program(std::string_view profile, CapabilitySet capabilities,
                                                       KernelVersion kernel);
/// Throws as that would.
void check_seccomp_profile(std::string_view profile);

}  // namespace compose::runtime
