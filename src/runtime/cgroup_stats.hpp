// What a container uses, as its cgroup counts it.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/cgroup_place.hpp"

namespace compose::runtime {

struct CgroupStats {
    std::optional<std::uint64_t> memory_current, memory_peak, memory_limit;
    std::optional<std::uint64_t> cpu_usage_usec;
    std::optional<std::uint64_t> pids_current;
    std::uint64_t oom_kills = 0;
    std::optional<std::uint64_t> memory_inactive_file;
    std::optional<std::uint64_t> io_read, io_written;  // bytes; nothing where no controller counts them
};

[[nodiscard]] CgroupStats read_stats(const CgroupPlace& place);
[[nodiscard]] std::uint64_t read_oom_kills(const CgroupPlace& place);

}  // namespace compose::runtime
