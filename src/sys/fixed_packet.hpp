// Packets of a fixed size with a few descriptors, sent and received without allocating memory: for code that must go on
// when there is none left.
#pragma once

#include <cstddef>
#include <span>

#include "sys/fd.hpp"

namespace compose::sys {

inline constexpr std::size_t kMaxFixedFds = 8;

enum class FixedResult { done, again, closed };
/// `again`: the buffer is full (only with `wait` false).
[[nodiscard]] FixedResult send_fixed(FdRef socket, std::span<const std::byte> data, std::span<const int> fds,
                                     bool wait) noexcept;
/// `data` must be as large as the packets; a packet of another size counts as `closed`. `fds` gets `count` descriptors
/// that now belong to the caller; more than it has room for are closed.
[[nodiscard]] FixedResult receive_fixed(FdRef socket, std::span<std::byte> data, std::span<int, kMaxFixedFds> fds,
                                        std::size_t& count, bool wait) noexcept;
void close_descriptor(int fd) noexcept;

}  // namespace compose::sys
