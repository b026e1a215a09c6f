// What a container uses now: its cgroup's counters and its network namespace's.
#pragma once

#include <sys/types.h>

#include <compose/containers.hpp>

#include "runtime/spec.hpp"

namespace compose::engine {

/// `pid`: its first process.
[[nodiscard]] ContainerStats read_stats(const runtime::ContainerSpec& spec, pid_t pid);

}  // namespace compose::engine
