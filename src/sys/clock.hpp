// The two clocks: wall time for what users read, monotonic time for every timeout. And random bytes.
#pragma once

#include <chrono>
#include <string>

namespace compose::sys {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;

[[nodiscard]] WallTime wall_now();
[[nodiscard]] MonotonicTime monotonic_now();
/// "2026-01-02T03:04:05.123456789Z"
[[nodiscard]] std::string rfc3339(WallTime time);
/// 64 random hex digits.
[[nodiscard]] std::string random_id();
/// The kernel's id of this boot (36 characters).
[[nodiscard]] std::string boot_id();

}  // namespace compose::sys
