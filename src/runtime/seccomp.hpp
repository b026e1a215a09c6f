// The system call filter of a container as a BPF program. Pure: the program depends on the capabilities alone.
#pragma once

#include <vector>

#include "runtime/capabilities.hpp"

struct sock_filter;

namespace compose::runtime {

/// Known but forbidden calls give EPERM; numbers that the table does not know give ENOSYS, so that a newer libc falls
/// back to older calls. Every architecture that the kernel can run here has its own table; others are killed.
[[nodiscard]] std::vector<sock_filter> seccomp_program(CapabilitySet capabilities);

}  // namespace compose::runtime
