// The processes of a container as `ps -ef` on the host would show them, read from /proc: nothing of the container is
// run, and what its processes call themselves is printed without control characters.
#pragma once

#include <sys/types.h>

#include <compose/containers.hpp>
#include <vector>

namespace compose::engine {

/// Those that have ended meanwhile are left out.
[[nodiscard]] ProcessTable list_processes(std::vector<pid_t> pids);

}  // namespace compose::engine
