#include "engine/limit_changes.hpp"

namespace compose::engine {

void apply_changes(const LimitChanges& changes, runtime::Resources& limits) {
    const auto take = [](const auto& change, auto& target) {
        if (change) target = *change;
    };
    // The one and the other say the same in two ways: the last word counts.
    if (changes.cpus) limits.cpu_quota = limits.cpu_period = std::nullopt;
    if (changes.cpu_quota || changes.cpu_period) limits.cpus.reset();
    take(changes.cpus, limits.cpus);
    take(changes.cpu_quota, limits.cpu_quota);
    take(changes.cpu_period, limits.cpu_period);
    take(changes.cpu_rt_runtime, limits.cpu_rt_runtime);
    take(changes.cpu_rt_period, limits.cpu_rt_period);
    take(changes.cpu_shares, limits.cpu_shares);
    take(changes.cpuset_cpus, limits.cpuset_cpus);
    take(changes.cpuset_mems, limits.cpuset_mems);
    take(changes.memory, limits.memory);
    take(changes.memory_swap, limits.memory_swap);
    take(changes.memory_reservation, limits.memory_reservation);
    take(changes.blkio_weight, limits.blkio_weight);
    take(changes.pids, limits.pids);
}

}  // namespace compose::engine
