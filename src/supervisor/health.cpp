#include "supervisor/health.hpp"

namespace compose::supervisor {
namespace {

constexpr int kDefaultRetries = 3;
constexpr std::chrono::seconds kDefaultInterval{30};
constexpr std::chrono::seconds kDefaultStartInterval{5};

std::chrono::nanoseconds or_default(std::chrono::nanoseconds value, std::chrono::nanoseconds fallback) {
    return value.count() > 0 ? value : fallback;
}

}  // namespace

HealthMonitor::HealthMonitor(const HealthConfig& config, Time started, store::Health known)
    : interval_(or_default(config.interval, kDefaultInterval)),
      start_period_(config.start_period),
      start_interval_(or_default(config.start_interval, kDefaultStartInterval)),
      retries_(config.retries > 0 ? config.retries : kDefaultRetries),
      started_(started),
      state_(known == store::Health::none ? store::Health::starting : known) {}

bool HealthMonitor::in_start_period(Time at) const {
    return at - started_ < start_period_;
}

std::chrono::nanoseconds HealthMonitor::pause(Time now) const {
    return state_ == store::Health::starting && in_start_period(now) ? start_interval_ : interval_;
}

bool HealthMonitor::record(Time began, bool success) {
    const auto before = state_;
    if (success) {
        failing_streak_ = 0;
        state_ = store::Health::healthy;
    } else if (state_ != store::Health::starting || !in_start_period(began)) {
        // Until the first success, failures inside the start period are forgiven.
        ++failing_streak_;
        if (failing_streak_ >= retries_) state_ = store::Health::unhealthy;
    }
    return state_ != before;
}

}  // namespace compose::supervisor
