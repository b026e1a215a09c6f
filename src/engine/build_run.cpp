#include "engine/build_run.hpp"

#include <array>
#include <chrono>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/host_hook.hpp"
#include "runtime/launcher.hpp"
#include "sys/clone.hpp"
#include "sys/poll.hpp"
#include "sys/process.hpp"

namespace compose::engine {
namespace {

constexpr std::chrono::milliseconds kGlance{100};  // how late a cancellation may be seen
constexpr std::chrono::seconds kLongestEnd{60};    // of hooks that have no limit of their own
constexpr int kSetupFailed = 128;

// The hooks of the step's devices, one after the other.
class DeviceHooks {
public:
    DeviceHooks(const RunRequest& request, const std::stop_token& cancel) : request_(request), cancel_(cancel) {}

    [[nodiscard]] bool empty() const { return request_.hooks.empty(); }
    /// Throws Error for the first that fails.
    void run(const std::vector<std::string>& stages, const char* status, pid_t pid, sys::FdRef container) const {
        for (const auto& stage : stages)
            for (const auto& hook : request_.hooks)
                if (hook.stage == stage)
                    run_one(hook, {request_.spec.id, status, pid, request_.spec.bundle}, container);
    }
    void try_run(const std::string& stage, const char* status, pid_t pid) const {
        try {
            run({stage}, status, pid, {});
        } catch (const Error& error) {
            log::debug("{}", error.what());
        }
    }

private:
    void run_one(const runtime::HostHook& hook, const runtime::HookState& state, sys::FdRef container) const {
        auto process = runtime::HookProcess::start(hook, state, container, false);
        const auto limit = hook.timeout.count() > 0 || hook.stage != "poststop" ? hook.timeout : kLongestEnd;
        const auto deadline = std::chrono::steady_clock::now() + limit;
        bool late = false;
        while (!sys::has_exited(process.pidfd())) {
            late = late || (limit.count() > 0 && std::chrono::steady_clock::now() > deadline);
            // What must run at the end is not given up with the build.
            if (late || (cancel_.stop_requested() && hook.stage != "poststop")) process.kill();
            sys::PollItem item{process.pidfd()};
            static_cast<void>(sys::poll({&item, 1}, kGlance));
        }
        const auto status = sys::exit_status_of(process.pidfd());
        sys::reap(process.pidfd());
        if (late || !status || status->code != 0)
            throw make_error("{}", hook_failure(hook, status ? status->code : -1, late, process.output()));
    }

    const RunRequest& request_;
    const std::stop_token& cancel_;
};

class Container {
public:
    explicit Container(const RunRequest& request)
        : request_(request), cgroup_(runtime::cgroup_root(), request.spec.cgroup_parent, request.spec.id) {
        auto pipe = sys::make_pipe();
        runtime::Stdio stdio;
        stdio.err = pipe.write.duplicate();
        stdio.out = std::move(pipe.write);
        out_ = std::move(pipe.read);
        sys::set_nonblocking(out_, true);
        launch_.emplace(runtime::begin_launch(request.spec, std::move(stdio), false));
        pidfd_ = sys::duplicate(launch_->pidfd());
    }
    ~Container() {
        try {
            if (!reaped_) {
                cgroup_.kill();
                sys::reap(pidfd_);
            }
            cgroup_.remove();
        } catch (const std::exception& error) {
            log::debug("end a build container: {}", error.what());
        }
    }
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    RunOutcome run(const std::stop_token& cancel) {
        RunOutcome outcome;
        connect();
        const DeviceHooks hooks(request_, cancel);
        // Those of its end run even when the first of them failed.
        try {
            await_mounts(hooks, cancel);
            hooks.run({"prestart", "createRuntime", "createContainer"}, "creating", launch_->pid(), launch_->pidfd());
        } catch (const Error& error) {
            outcome.failure = error.what();
            cgroup_.kill();
        }
        launch_->release();
        bool told = false;
        while (!sys::has_exited(pidfd_)) {
            if (cancel.stop_requested()) {
                outcome.cancelled = true;
                cgroup_.kill();
            }
            wait();
            read();
            if (!told && launch_->poll() == runtime::Launch::State::running) {
                told = true;
                hooks.try_run("poststart", "running", launch_->pid());
            }
        }
        read();
        hooks.try_run("poststop", "stopped", 0);
        if (!outcome.failure.empty()) {
            outcome.exit_code = kSetupFailed;
            return outcome;
        }
        return with_status(outcome);
    }

private:
    void connect() {
        try {
            if (request_.connect) request_.connect(launch_->open_netns());
        } catch (const Error&) {
            // A child that failed is gone before its namespace could be visited: its own words say why.
            if (launch_->poll() != runtime::Launch::State::failed) throw;
        }
    }

    void await_mounts(const DeviceHooks& hooks, const std::stop_token& cancel) {
        if (hooks.empty()) return;
        while (launch_->poll() == runtime::Launch::State::pending && !launch_->mounted()) {
            if (cancel.stop_requested()) return;
            wait();
        }
    }

    RunOutcome with_status(RunOutcome outcome) {
        if (launch_->poll() == runtime::Launch::State::failed) {
            outcome.failure = launch_->failure().message;
            outcome.exit_code = launch_->failure().exit_code;
        } else if (const auto status = sys::exit_status_of(pidfd_)) {
            outcome.exit_code = status->code;
        } else {
            throw Error("the exit status of the step is lost");
        }
        outcome.out_of_memory = cgroup_.stats().oom_kills > 0;
        sys::reap(pidfd_);
        reaped_ = true;
        return outcome;
    }

    void wait() {
        const bool pending = launch_->poll() == runtime::Launch::State::pending;
        std::array<sys::PollItem, 3> items{sys::PollItem{.fd = pidfd_},
                                           sys::PollItem{.fd = open_ ? sys::FdRef(out_) : sys::FdRef()},
                                           sys::PollItem{.fd = pending ? launch_->channel() : sys::FdRef()}};
        static_cast<void>(sys::poll(items, kGlance));
    }

    void read() {
        while (open_) {
            const auto got = sys::read_some(out_, buffer_);
            if (!got) return;
            if (*got == 0)
                open_ = false;
            else
                request_.output({buffer_.data(), *got});
        }
    }

    const RunRequest& request_;
    runtime::Cgroup cgroup_;
    std::optional<runtime::Launch> launch_;
    sys::Fd pidfd_, out_;
    std::array<char, 65536> buffer_{};
    bool open_ = true;
    bool reaped_ = false;
};

}  // namespace

RunOutcome run_container(const RunRequest& request, const std::stop_token& cancel) {
    return std::make_unique<Container>(request)->run(cancel);
}

}  // namespace compose::engine
