#include "supervisor/device_hooks.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace compose::supervisor {
namespace {

constexpr std::chrono::seconds kLongestEnd{60};  // of what somebody may wait for who removes the container

}  // namespace

DeviceHooks::~DeviceHooks() {
    if (running_) core_.processes.forget(running_->pid());
}

void DeviceHooks::run(const std::vector<runtime::HostHook>& hooks, const std::vector<std::string>& stages,
                      runtime::HookState state, sys::FdRef process, Done done) {
    Batch batch;
    for (const auto& stage : stages)
        for (const auto& hook : hooks)
            if (hook.stage == stage) batch.hooks.push_back(hook);
    batch.state = std::move(state);
    if (process) batch.process = sys::duplicate(process);
    batch.done = std::move(done);
    batch.final = stages.front() == "poststop";
    batches_.push_back(std::move(batch));
    // Not from inside: its end may be the answer to what asks for it.
    if (!running_ && !later_) later_ = core_.loop.after(std::chrono::nanoseconds(0), [this] { start_next(); });
}

void DeviceHooks::cancel() {
    if (batches_.empty()) return;
    const bool first = running_ && !batches_.front().final;
    std::erase_if(batches_, [](const Batch& batch) { return !batch.final; });
    if (!first) return;
    core_.processes.forget(running_->pid());
    running_->kill();
    running_.reset();
    timer_.cancel();
    if (!batches_.empty()) later_ = core_.loop.after(std::chrono::nanoseconds(0), [this] { start_next(); });
}

void DeviceHooks::start_next() {
    later_.cancel();
    if (running_ || batches_.empty()) return;
    auto& batch = batches_.front();
    if (batch.hooks.empty()) return end_batch({});
    const auto& hook = batch.hooks.front();
    try {
        running_ = runtime::HookProcess::start(hook, batch.state, batch.process, true);
    } catch (const Error& error) {
        return end_batch(error.what());
    }
    core_.processes.expect(running_->pid(), [this](const ChildExit& exit) { on_exit(exit.status.code); });
    timed_out_ = false;
    auto& timeout = batch.hooks.front().timeout;
    if (batch.final && timeout.count() == 0) timeout = kLongestEnd;
    if (timeout.count() > 0)
        timer_ = core_.loop.after(timeout, [this] {
            timer_.cancel();
            timed_out_ = true;
            if (running_) running_->kill();
        });
}

void DeviceHooks::on_exit(int exit_code) {
    timer_.cancel();
    const auto output = running_->output();
    running_.reset();
    const auto hook = std::move(batches_.front().hooks.front());
    batches_.front().hooks.pop_front();
    if (exit_code != 0 || timed_out_) return end_batch(hook_failure(hook, exit_code, timed_out_, output));
    start_next();
}

void DeviceHooks::end_batch(const std::string& failure) {
    auto batch = std::move(batches_.front());
    batches_.pop_front();
    if (!batches_.empty()) later_ = core_.loop.after(std::chrono::nanoseconds(0), [this] { start_next(); });
    if (!failure.empty()) log::debug("{}", failure);
    if (batch.done) batch.done(failure);
}

}  // namespace compose::supervisor
