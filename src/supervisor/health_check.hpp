// Probing one container: when, with which command, and what came of it. Never two probes at once.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "runtime/launcher.hpp"
#include "supervisor/core.hpp"
#include "supervisor/health.hpp"
#include "supervisor/net_probe.hpp"

namespace compose::supervisor {

struct ProbeResult {
    std::int64_t began = 0, ended = 0;  // nanoseconds since 1970
    int exit_code = 0;
    std::string output;  // the first 4,096 bytes
};

class HealthCheck {
public:
    struct Subject {
        std::string id;
        pid_t pid = 0;
        sys::FdRef pidfd;
        sys::MonotonicTime started{};
        store::Health known = store::Health::starting;
    };
    HealthCheck(Core& core, HealthConfig config, Subject subject, std::function<void(store::Health)> on_change);
    /// Kills a probe that is under way.
    ~HealthCheck();
    HealthCheck(const HealthCheck&) = delete;
    HealthCheck& operator=(const HealthCheck&) = delete;

    [[nodiscard]] store::Health state() const { return monitor_.state(); }
    /// The last five, oldest first.
    [[nodiscard]] const std::deque<ProbeResult>& results() const { return results_; }

    /// What an earlier supervisor left running.
    static void kill_leftover(const Held& held);
    [[nodiscard]] static std::string keeper_name(const std::string& id) { return id + "/probe"; }

private:
    void schedule();
    void begin();
    void begin_net_probe();
    void on_channel();
    void read_output();
    void on_timeout();
    void kill_probe();
    void finish(int exit_code);
    void publish_results() const;

    Core& core_;
    HealthConfig config_;
    Subject subject_;
    std::function<void(store::Health)> on_change_;
    HealthMonitor monitor_;
    std::deque<ProbeResult> results_;

    // The probe under way.
    std::optional<NetProbe> net_;
    std::optional<runtime::Launch> launch_;
    pid_t pid_ = 0;
    sys::Fd pidfd_;
    sys::Fd output_;
    bool timed_out_ = false;
    sys::MonotonicTime began_{};
    ProbeResult result_;

    sys::EventLoop::Watch next_;
    sys::EventLoop::Watch deadline_;
    sys::EventLoop::Watch channel_;
    sys::EventLoop::Watch readable_;
};

}  // namespace compose::supervisor
