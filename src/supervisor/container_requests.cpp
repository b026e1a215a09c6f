// What others ask of a container: to start, to stop, to be signalled, paused or forgotten.
#include <csignal>
#include <exception>

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/container.hpp"
#include "sys/namespaces.hpp"

namespace compose::supervisor {
namespace {

// A killed process that is still there after this long hangs inside the kernel.
constexpr std::chrono::seconds kUnkillableAfter{10};

}  // namespace

void Container::start(std::vector<sys::Fd> stdio, Done done) {
    const bool attach = stdio.size() >= 3;
    if (attach && phase_ != Phase::down) {
        const auto failure =
            Failure::from(make_error(ErrorKind::conflict, "container {} is already running", row_.name));
        return done(&failure, {});
    }
    if (row_.state == store::ContainerState::paused && !stop_requested_) {
        const auto failure =
            Failure::from(make_error(ErrorKind::conflict, "container {} is paused, unpause it instead", row_.name));
        return done(&failure, {});
    }
    if (phase_ == Phase::running && !stop_requested_ && !interrupted_) return done(nullptr, {});
    starting_.push_back(std::move(done));
    if (kHasProcess[static_cast<int>(phase_)]) {
        // Launching: its end answers. Stopping: it starts when it is down.
        if (stop_requested_) start_requested_ = true;
        return;
    }
    if (attach) attached_ = std::move(stdio);
    restart_.cancel();
    begin(true);
}

void Container::stop(std::optional<std::chrono::nanoseconds> timeout, Done done, int signal) {
    row_.stopped_by_user = true;
    start_requested_ = false;
    if (phase_ == Phase::waiting) {
        restart_.cancel();
        phase_ = Phase::down;
        row_.state = store::ContainerState::exited;
        ports_.release();
        save();
        tell();
        return done(nullptr, {});
    }
    if (phase_ == Phase::down) return done(nullptr, {});
    stopping_.push_back([this, done = std::move(done)](const Failure* failure, sys::FdRef terminal) {
        if (failure == nullptr) record("stop");
        done(failure, terminal);
    });
    signal_stop(timeout, signal);
}

void Container::signal_stop(std::optional<std::chrono::nanoseconds> timeout, int signal) {
    const bool first = !stop_requested_;
    stop_requested_ = true;
    save();
    if (phase_ == Phase::launching) return kill_all();
    health_.reset();
    const auto grace = timeout.value_or(std::chrono::nanoseconds(row_.config.stop_timeout_ns));
    if (first) {
        if (row_.state == store::ContainerState::paused) row_.state = store::ContainerState::running;
        try {
            cgroup().freeze(false);
            const int number = signal == 0 ? row_.config.stop_signal : signal;
            sys::send_signal(pidfd_, number);
            record("kill", {{"signal", std::to_string(number)}});
        } catch (const Error& error) {
            log::debug("stop {}: {}", row_.name, error.what());
            return kill_all();
        }
    }
    // A second request may change how long the first one waits.
    if (grace.count() < 0) return grace_.cancel();
    grace_ = core_.loop.after(grace, [this] { kill_all(); });
}

void Container::kill_all() {
    grace_ = core_.loop.after(kUnkillableAfter, [this] { on_unkillable(); });
    try {
        if (launch_) sys::send_signal(launch_->pidfd(), SIGKILL);
        if (pidfd_) sys::send_signal(pidfd_, SIGKILL);
        cgroup().kill();
    } catch (const Error& error) {
        log::debug("kill {}: {}", row_.name, error.what());
    }
}

void Container::on_unkillable() {
    auto error =
        make_error("container {} cannot be killed: its process {} hangs inside the kernel", row_.name, row_.pid);
    const auto failure = Failure::from(error);
    answer(stopping_, &failure);
}

void Container::kill(int signal, Done done) {
    if (phase_ != Phase::running) {
        const auto failure = Failure::from(make_error(ErrorKind::conflict, "container {} is not running", row_.name));
        return done(&failure, {});
    }
    const bool final = signal == SIGKILL || signal == row_.config.stop_signal;
    if (final) {
        row_.stopped_by_user = true;
        save();
    }
    record("kill", {{"signal", std::to_string(signal)}});
    if (signal == SIGKILL) {
        stop_requested_ = true;
        health_.reset();
        stopping_.push_back(std::move(done));
        return kill_all();
    }
    try {
        sys::send_signal(pidfd_, signal);
    } catch (const Error& error) {
        const auto failure = Failure::from(error);
        return done(&failure, {});
    }
    done(nullptr, {});
}

void Container::restart(std::optional<std::chrono::nanoseconds> timeout, Done done) {
    Done told = [this, done = std::move(done)](const Failure* failure, sys::FdRef terminal) {
        if (failure == nullptr) record("restart");
        done(failure, terminal);
    };
    if (!kHasProcess[static_cast<int>(phase_)]) return start({}, std::move(told));
    starting_.push_back(std::move(told));
    stopping_.push_back([this](const Failure* failure, sys::FdRef) {
        if (failure == nullptr) record("stop");
    });
    start_requested_ = true;
    signal_stop(timeout);
}

void Container::forget(Done done) {
    forget_requested_ = true;
    start_requested_ = false;
    restart_.cancel();
    row_.stopped_by_user = true;
    stopping_.push_back(std::move(done));
    if (kHasProcess[static_cast<int>(phase_)]) {
        stop_requested_ = true;
        health_.reset();
        record("kill", {{"signal", std::to_string(SIGKILL)}});
        if (auto netns = sys::open_netns_of(row_.pid)) core_.dead_networks.keep(std::move(*netns));
        return kill_all();
    }
    after_exit(std::chrono::nanoseconds(0));
}

void Container::pause() {
    if (phase_ != Phase::running || stop_requested_)
        throw make_error(ErrorKind::conflict, "container {} is not running", row_.name);
    if (row_.state == store::ContainerState::paused)
        throw make_error(ErrorKind::conflict, "container {} is already paused", row_.name);
    cgroup().freeze(true);
    health_.reset();
    row_.state = store::ContainerState::paused;
    save();
    record("pause");
    tell();
}

void Container::unpause() {
    if (row_.state != store::ContainerState::paused)
        throw make_error(ErrorKind::conflict, "container {} is not paused", row_.name);
    cgroup().freeze(false);
    row_.state = store::ContainerState::running;
    begin_health(row_.health);
    save();
    record("unpause");
    tell();
}

void Container::refresh() {
    const auto fresh = core_.store.container(row_.id);
    if (!fresh) return;
    row_.name = fresh->name;
    row_.config.restart = fresh->config.restart;
    row_.config.options_json = fresh->config.options_json;
    read_options();
    if (phase_ != Phase::running) return;
    // A network may have come from which ports of the host lead to it. One that is taken is told, and keeps nobody out.
    std::exception_ptr untaken;
    try {
        auto wishes = port_wishes_from_json(row_.config.ports_json);
        if (!wishes.empty() && !ports_.taken()) ports_.take(endpoints_.on_host(std::move(wishes)));
    } catch (const Error&) {
        untaken = std::current_exception();
    }
    endpoints_.refresh(row_, static_cast<pid_t>(row_.pid));
    if (untaken) std::rethrow_exception(untaken);
}

}  // namespace compose::supervisor
