// The health of one container as a pure state machine: results in, state and the time of the next probe out. All times
// are monotonic, so neither a changed clock nor a long stop of this process makes a container unhealthy.
#pragma once

#include <chrono>

#include "store/records.hpp"
#include "supervisor/client.hpp"

namespace compose::supervisor {

class HealthMonitor {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// The container was started (or found running, with what was known of it) at `started`.
    HealthMonitor(const HealthConfig& config, Time started, store::Health known = store::Health::starting);

    [[nodiscard]] store::Health state() const { return state_; }
    [[nodiscard]] int failing_streak() const { return failing_streak_; }
    /// How long after `now`, at which the last probe ended or the container started, the next one begins.
    [[nodiscard]] std::chrono::nanoseconds pause(Time now) const;
    /// A probe that began at `began` succeeded or not. True when the state has changed.
    bool record(Time began, bool success);

private:
    [[nodiscard]] bool in_start_period(Time at) const;

    std::chrono::nanoseconds interval_;
    std::chrono::nanoseconds start_period_;
    std::chrono::nanoseconds start_interval_;
    int retries_;
    Time started_;
    store::Health state_;
    int failing_streak_ = 0;
};

}  // namespace compose::supervisor
