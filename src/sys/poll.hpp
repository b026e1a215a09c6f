// Waiting on a few descriptors at once, and moving bytes without blocking: for loops too small for an EventLoop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sys/fd.hpp"

namespace compose::sys {

struct PollItem {
    FdRef fd;  // an empty one is skipped
    bool want_read = true;
    bool want_write = false;
    // Filled in by poll().
    bool readable = false;  // bytes, end of file or an error: a read will not block
    bool writable = false;
    bool broken = false;  // the other side is gone: a write would fail
};
/// False when `timeout` ran out (nothing: waits for ever) or a signal handler interrupted the wait.
bool poll(std::span<PollItem> items, std::optional<std::chrono::milliseconds> timeout);

/// One read: the number of bytes, 0 at the end of file (a pty whose other side is closed counts), nothing when there is
/// nothing to read now.
[[nodiscard]] std::optional<std::size_t> read_some(FdRef fd, std::span<char> buffer);
/// One write: the number of bytes, nothing when it would block. Throws Error; EPIPE is its code() when nobody reads.
[[nodiscard]] std::optional<std::size_t> write_some(FdRef fd, std::string_view data);

/// Where a regular file stands; nothing for pipes and all else that can't be read a second time.
[[nodiscard]] std::optional<std::int64_t> regular_file_position(FdRef fd) noexcept;
/// Room for a megabyte in a pipe, where the kernel grants it: fewer changes between its two ends.
void widen_pipe(FdRef pipe) noexcept;

}  // namespace compose::sys
