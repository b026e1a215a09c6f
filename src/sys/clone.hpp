// Starting a copy of this process in other namespaces.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "sys/fd.hpp"

namespace compose::sys {

struct CloneRequest {
    std::uint64_t namespaces = 0;  // CLONE_NEW*
    bool as_sibling = false;       // its parent is this process's parent
    int exit_signal = 17;          // SIGCHLD; 0: nobody is told, and only reap() can wait for it
    FdRef cgroup;                  // a v2 directory to be born in; empty: where this process is
    FdRef born_beside;             // a process in whose pid namespace it is born; empty: this one's, or a new one
};

struct ClonedProcess {
    pid_t pid = -1;
    Fd pidfd;
};

/// Like fork. The copy runs `child`, which must not return and may make raw calls only. Nobody but the kernel can look
/// into it: it is not dumpable from its first moment. Throws Error.
[[nodiscard]] ClonedProcess clone_process(const CloneRequest& request, void (*child)(void*) noexcept, void* argument);
/// Waits for the end of a child of this process and takes its status away.
void reap(FdRef pidfd) noexcept;

}  // namespace compose::sys
