// The hooks of a container's devices, at the points of its life where they belong.
#include "base/error.hpp"
#include "supervisor/container.hpp"

namespace compose::supervisor {

void Container::prepare_hooks(runtime::ContainerSpec& spec) const {
    if (options_.device_hooks.empty()) return;
    spec.bundle = core_.store.layout().container(row_.id);
    for (const auto& hook : options_.device_hooks)
        if (hook.stage == "startContainer") spec.start_hooks.push_back(hook);
    runtime::write_bundle(spec);
}

void Container::run_hooks(const std::vector<std::string>& stages, const char* status, DeviceHooks::Done done) {
    device_hooks_.run(options_.device_hooks, stages,
                      {row_.id, status, static_cast<pid_t>(row_.pid), core_.store.layout().container(row_.id)},
                      launch_ ? launch_->pidfd() : sys::FdRef(), std::move(done));
}

void Container::run_create_hooks() {
    hooked_ = true;
    run_hooks({"prestart", "createRuntime", "createContainer"}, "creating", [this](const std::string& failure) {
        if (!launch_) return;
        if (failure.empty()) return let_go();
        on_launch_failed(Failure::from(make_error("{}", failure).with_exit_code(128)));
    });
}

void Container::on_poststop_over() {
    if (forget_requested_ && !forgotten_ && phase_ == Phase::down) return after_exit(std::chrono::nanoseconds(0));
    hooks_.quiet(row_.id);
}

}  // namespace compose::supervisor
