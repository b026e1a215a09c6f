// Visiting another network namespace from a single-threaded process or a thread of its own.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

/// The calling thread's network namespace.
[[nodiscard]] Fd open_own_netns();
/// The network namespace of process `pid`; nothing when there is no such process (any more).
[[nodiscard]] std::optional<Fd> open_netns_of(pid_t pid);
/// Are two processes in one namespace of that kind: "net", "ipc"? False when one of them is gone.
[[nodiscard]] bool share_namespace(pid_t one, pid_t other, const char* kind);
/// The network namespace that a socket was made in; nothing when it can't be told.
[[nodiscard]] std::optional<Fd> netns_of_socket(FdRef socket);
/// Runs `body` with this thread inside `netns`, then returns; also when it throws. Sockets made inside stay there.
void run_in_netns(FdRef netns, const std::function<void()>& body);

}  // namespace compose::sys
