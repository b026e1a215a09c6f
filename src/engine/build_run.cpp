#include "engine/build_run.hpp"

#include <array>
#include <chrono>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/launcher.hpp"
#include "sys/clone.hpp"
#include "sys/poll.hpp"
#include "sys/process.hpp"

namespace compose::engine {
namespace {

constexpr std::chrono::milliseconds kGlance{100};  // how late a cancellation may be seen

class Container {
public:
    Container(const runtime::ContainerSpec& spec, const std::function<void(std::string_view)>& output)
        : cgroup_(runtime::cgroup_root(), spec.cgroup_parent, spec.id), output_(output) {
        auto pipe = sys::make_pipe();
        runtime::Stdio stdio;
        stdio.err = pipe.write.duplicate();
        stdio.out = std::move(pipe.write);
        out_ = std::move(pipe.read);
        sys::set_nonblocking(out_, true);
        launch_.emplace(runtime::begin_launch(spec, std::move(stdio), false));
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

    RunOutcome run(const std::function<void(sys::FdRef)>& connect, const std::stop_token& cancel) {
        RunOutcome outcome;
        try {
            if (connect) connect(launch_->open_netns());
        } catch (const Error&) {
            // A child that failed is gone before its namespace could be visited: its own words say why.
            if (launch_->poll() != runtime::Launch::State::failed) throw;
        }
        launch_->release();
        while (!sys::has_exited(pidfd_)) {
            if (cancel.stop_requested()) {
                outcome.cancelled = true;
                cgroup_.kill();
            }
            wait();
            read();
        }
        read();
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

private:
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
                output_({buffer_.data(), *got});
        }
    }

    runtime::Cgroup cgroup_;
    const std::function<void(std::string_view)>& output_;
    std::optional<runtime::Launch> launch_;
    sys::Fd pidfd_, out_;
    std::array<char, 65536> buffer_{};
    bool open_ = true;
    bool reaped_ = false;
};

}  // namespace

RunOutcome run_container(const runtime::ContainerSpec& spec, const std::function<void(sys::FdRef)>& connect,
                         const std::function<void(std::string_view)>& output, const std::stop_token& cancel) {
    return std::make_unique<Container>(spec, output)->run(connect, cancel);
}

}  // namespace compose::engine
