// Processes by pidfd: never by a bare pid that may have been reused.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// How a process ended.
struct ExitStatus {
    int code = 0;    // exit code, or 128 + signal
    int signal = 0;  // 0: it exited by itself
};

/// Nothing when there is no such process.
[[nodiscard]] std::optional<Fd> open_pidfd(pid_t pid);
/// False when it is gone.
bool send_signal(FdRef pidfd, int signal);
[[nodiscard]] bool has_exited(FdRef pidfd);
/// Field 22 of /proc/PID/stat, in clock ticks since boot; nothing when there is no such process.
[[nodiscard]] std::optional<std::uint64_t> start_time(pid_t pid);
/// The status that the kernel still knows of a dead process that is not our child: a zombie's, or (Linux 6.15) that of
/// one that its parent has reaped; else nothing.
[[nodiscard]] std::optional<ExitStatus> exit_status_of(FdRef pidfd);
/// What wait status `raw` (waitpid's) means.
[[nodiscard]] ExitStatus decode_wait_status(int raw);
[[nodiscard]] pid_t current_pid();
/// Shows in ps: argv is overwritten and the comm set.
void set_process_title(int argc, char** argv, const std::string& title);
/// "KILL", "SIGKILL", "9", "SIGRTMIN+3" -> number; nothing when unknown.
[[nodiscard]] std::optional<int> signal_number(std::string_view name);
[[nodiscard]] std::string signal_name(int number);

}  // namespace compose::sys
