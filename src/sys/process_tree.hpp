// Everything that one process has started.
#pragma once

#include <sys/types.h>

#include <vector>

namespace compose::sys {

/// SIGKILL to the process `root`, to its descendants and to every member of its session, until no new one turns up. The
/// caller makes sure that `root` is still the process it means (it holds its pidfd and has not reaped it).
void kill_process_tree(pid_t root);
[[nodiscard]] pid_t parent_of(pid_t pid);   // 0: gone
[[nodiscard]] pid_t session_of(pid_t pid);  // 0: gone
[[nodiscard]] bool is_zombie(pid_t pid);    // has ended, and nobody has asked for its status

}  // namespace compose::sys
