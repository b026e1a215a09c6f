// Real-time processor time in cgroup v1: a cgroup has some only when every cgroup above it has at least as much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace compose::runtime {

struct RealTime {
    std::optional<std::int64_t> runtime;  // microseconds of each period
    std::optional<std::int64_t> period;   // microseconds
};

/// Gives `parts.back()` under `base` its real time, and the cgroups between (`parts` in order) what their children
/// need in all. Throws unavailable when this host has no such files, or no time left.
void share_real_time(const std::string& base, const std::vector<std::string>& parts, const RealTime& wanted);

}  // namespace compose::runtime
