// Runs what the host's device descriptions want to be run at points of one container's life: one program after the
// other, while the loop goes on.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host_hook.hpp"
#include "supervisor/core.hpp"

namespace compose::supervisor {

class DeviceHooks {
public:
    /// Empty: all have succeeded; else what to say of the first that has not. Those behind it were not run.
    using Done = std::function<void(const std::string& failure)>;

    explicit DeviceHooks(Core& core) : core_(core) {}
    ~DeviceHooks();  // what still runs is left to itself
    DeviceHooks(const DeviceHooks&) = delete;
    DeviceHooks& operator=(const DeviceHooks&) = delete;

    /// Those of `hooks` that belong to `stages`, in the order of the stages, after whatever was asked for before.
    /// `process`: the container's first, while it waits.
    void run(const std::vector<runtime::HostHook>& hooks, const std::vector<std::string>& stages,
             runtime::HookState state, sys::FdRef process, Done done);
    /// Kills what runs and forgets the rest, unless it belongs to the end of a life.
    void cancel();
    [[nodiscard]] bool busy() const { return !batches_.empty(); }

private:
    struct Batch {
        std::deque<runtime::HostHook> hooks;
        runtime::HookState state;
        sys::Fd process;
        Done done;
        bool final = false;
    };
    void start_next();
    void on_exit(int exit_code);
    void end_batch(const std::string& failure);

    Core& core_;
    std::deque<Batch> batches_;
    std::optional<runtime::HookProcess> running_;
    bool timed_out_ = false;
    sys::EventLoop::Watch timer_;
    sys::EventLoop::Watch later_;
};

}  // namespace compose::supervisor
