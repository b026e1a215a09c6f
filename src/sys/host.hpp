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

}  // namespace compose::sys
