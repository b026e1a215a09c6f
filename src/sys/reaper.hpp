// What a process needs that is the parent of others for life: adopting orphans, hearing of deaths, reaping. Nothing
// here allocates memory.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <span>

#include "sys/fd.hpp"

namespace compose::sys {

/// Orphaned descendants become children of this process.
void become_subreaper();
/// No other user may look into this process (ptrace, /proc/PID/fd) and it leaves no core dump.
void hide_from_others();
/// Every signal that can be blocked, for this thread and the ones it makes.
void block_all_signals();
/// Readable when a child has changed; drain_signals() makes it quiet again.
[[nodiscard]] Fd child_signals();
void drain_signals(FdRef signals) noexcept;

struct Reaped {
    pid_t pid = 0;        // 0: nobody is dead now
    int wait_status = 0;  // as waitpid's
};
/// Reaps one dead child of any kind, without waiting.
[[nodiscard]] Reaped reap_any() noexcept;
[[nodiscard]] bool has_children() noexcept;
[[nodiscard]] pid_t parent_pid() noexcept;

struct WaitItem {
    FdRef fd;
    bool write = false;     // wait for room too
    bool readable = false;  // results; a hang-up counts as readable
    bool writable = false;
};
/// Waits until one is ready or `timeout_ms` (-1: for ever) is over.
void wait_for_any(std::span<WaitItem> items, int timeout_ms) noexcept;
/// Leaves at once: no destructors, no handlers.
[[noreturn]] void leave(int status) noexcept;
/// The soft limit of open files becomes the hard one.
void raise_descriptor_limit() noexcept;
/// New files get the modes that are asked for, less 022; the working folder is "/".
void settle_down() noexcept;

}  // namespace compose::sys
