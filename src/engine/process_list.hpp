// The processes of a container as `ps -ef` on the host would show them, read from /proc: nothing of the container is
// run, and what its processes call themselves is printed without control characters.
#pragma once

#include <sys/types.h>

#include <compose/containers.hpp>
#include <string>
#include <vector>

namespace compose::engine {

struct PsColumn {
    std::string key;  // ps's own name of it, one of those that describe() knows
    std::string title;
};

/// By the options of ps: "-ef" (none: this one), "aux", "-o pid,comm" ("-eo", "o"), of which only the columns matter.
/// Throws Error(usage) for others, and for columns that it does not know.
[[nodiscard]] std::vector<PsColumn> ps_columns(const std::vector<std::string>& options);

/// Those that have ended meanwhile are left out.
[[nodiscard]] ProcessTable list_processes(std::vector<pid_t> pids, const std::vector<PsColumn>& columns);

}  // namespace compose::engine
