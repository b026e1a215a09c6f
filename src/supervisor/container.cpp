#include "supervisor/container.hpp"

#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/resctrl.hpp"
#include "store/event_log.hpp"
#include "supervisor/resident.hpp"
#include "sys/clock.hpp"
#include "sys/namespaces.hpp"

namespace compose::supervisor {
namespace {

constexpr std::chrono::seconds kLinger{2};
constexpr std::chrono::milliseconds kRemovalDelay{300};

}  // namespace

Container::Container(Core& core, Hooks hooks, store::Container row)
    : core_(core),
      hooks_(std::move(hooks)),
      row_(std::move(row)),
      device_hooks_(core),
      ports_(core, row_.id),
      endpoints_(core, row_.id, ports_),
      listeners_(core.loop, {[this](bool hold) {
                                 // What a dead process has left is taken anyhow.
                                 if (pump_ && phase_ == Phase::running) pump_->hold(hold);
                             },
                             [this] { hooks_.quiet(row_.id); }}) {
    row_.config.spec.clear();
    read_options();
}

void Container::read_options() {
    policy_ = RestartPolicy::parse(row_.config.restart).value_or(RestartPolicy{});
    try {
        options_ = options_from_json(row_.config.options_json);
    } catch (const Error& error) {
        log::debug("options of {}: {}", row_.name, error.what());
    }
    policy_.delay = options_.restart_delay;
    policy_.window = options_.restart_window;
    if (options_.restart_attempts > 0) policy_.max_retries = options_.restart_attempts;
}

Container::~Container() = default;

StateChange Container::change() const {
    StateChange result;
    result.id = row_.id;
    result.state = row_.state;
    result.health = row_.health;
    result.exit_code = row_.exit_code;
    result.restart_count = row_.restart_count;
    result.removed = forgotten_;
    return result;
}

runtime::ExecTarget Container::exec_target() const {
    if (phase_ != Phase::running || !pidfd_ || stop_requested_)
        throw make_error(ErrorKind::conflict, "container {} is not running", row_.name);
    if (row_.state == store::ContainerState::paused)
        throw make_error(ErrorKind::conflict, "container {} is paused, unpause it first", row_.name);
    return {static_cast<pid_t>(row_.pid), pidfd_};
}

runtime::Cgroup& Container::cgroup() {
    if (cgroup_) return *cgroup_;
    if (cgroup_parent_.empty())
        if (const auto container = core_.store.container(row_.id))
            note_facts(runtime::spec_from_json(container->config.spec));
    return cgroup_.emplace(runtime::cgroup_root(), cgroup_parent_, row_.id);
}

void Container::note_facts(const runtime::ContainerSpec& spec) {
    cgroup_parent_ = spec.cgroup_parent;
    network_of_ = spec.network == runtime::NamespaceMode::joined ? spec.network_of : std::string{};
    ipc_of_ = spec.ipc == runtime::NamespaceMode::joined ? spec.ipc_of : std::string{};
}

bool Container::shares_with(const std::string& name) const {
    return !row_.oneoff && (network_of_ == name || ipc_of_ == name);
}

bool Container::was_left_by(const Container& owner) const {
    const auto runs = [](const Container& one) {
        return one.phase_ == Phase::running && one.row_.state == store::ContainerState::running &&
               !one.stop_requested_ && !one.interrupted_;
    };
    if (!shares_with(owner.row_.name) || !runs(*this) || !runs(owner)) return false;
    const auto apart = [&](const char* kind) {
        return !sys::share_namespace(static_cast<pid_t>(row_.pid), static_cast<pid_t>(owner.row_.pid), kind);
    };
    return (network_of_ == owner.row_.name && apart("net")) || (ipc_of_ == owner.row_.name && apart("ipc"));
}

void Container::save() {
    try {
        core_.store.update_runtime(row_);
    } catch (const Error& error) {
        // A full disk must not take the containers with it; what is in memory still holds.
        log::debug("save {}: {}", row_.name, error.what());
    }
}

void Container::tell() {
    core_.generation.bump();
    hooks_.changed(*this);
}

void Container::record(const std::string& action, std::map<std::string, std::string> attributes) {
    store::append_event(core_.store.layout(), store::container_event(row_, action, std::move(attributes)));
}

void Container::answer(std::vector<Done>& waiting, const Failure* failure, sys::FdRef terminal) {
    // An answer may lead to the next request on the same container.
    auto now = std::move(waiting);
    waiting.clear();
    for (const auto& done : now) done(failure, terminal);
}

// --- the end of its process -----------------------------------------------------------------------------------------

void Container::on_exit(const ChildExit& exit) {
    // What the launch still had to say comes first: a process may end before we have heard that it began.
    if (launch_) on_channel();
    if (launch_) on_launch_failed(Failure::from(make_error("it ended while it was set up").with_exit_code(128)));
    if (phase_ != Phase::running) return;
    const auto ran = sys::monotonic_now() - started_;
    health_.reset();
    row_.exit_code = exit.status.code;
    row_.finished_at = exit.time;
    try {
        row_.oom_killed = !forget_requested_ && cgroup().oom_kills() > 0;
    } catch (const Error& error) {
        log::debug("statistics of {}: {}", row_.name, error.what());
    }
    if (pump_) pump_->drain();
    row_.health = store::Health::none;
    if (row_.oom_killed) record("oom");
    record("die", {{"exitCode", std::to_string(row_.exit_code)},
                   {"execDuration", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(ran).count())}});
    after_exit(ran);
}

void Container::after_exit(std::chrono::nanoseconds ran) {
    const bool had_process = kHasProcess[static_cast<int>(phase_)];
    std::optional<std::chrono::nanoseconds> delay;
    const bool wanted = stop_requested_ || forget_requested_ || row_.stopped_by_user;
    if (interrupted_ && !wanted)
        delay = std::chrono::nanoseconds(0);
    else if (unhealthy_ && !forget_requested_ && !start_requested_)
        // It did not end by itself, so it is no matter of its policy whether it starts again.
        delay = next_restart({.kind = RestartPolicy::Kind::always, .delay = policy_.delay}, history_, 1, ran,
                             row_.stopped_by_user);
    else if (had_process && !start_requested_)
        delay = next_restart(policy_, history_, row_.exit_code, ran, wanted);
    phase_ = delay ? Phase::waiting : Phase::down;
    if (had_process) row_.state = delay ? store::ContainerState::restarting : store::ContainerState::exited;
    if (delay && !interrupted_) row_.restart_count = history_.restarts;
    stop_requested_ = false;
    unhealthy_ = false;
    clean_up_process(delay.has_value() || start_requested_);
    if (delay) wait_for_restart(*delay);
    interrupted_ = false;
    // Its folder is still needed; their end comes here again.
    if (forget_requested_ && device_hooks_.busy()) return;
    forgotten_ = forget_requested_;
    if (pump_ && forgotten_) pump_->finish();
    if (pump_ && (forgotten_ || pump_->ended())) close_log();
    if (forgotten_) core_.compressor.forget(core_.store.layout().container_log(row_.id));
    // Whoever outside of it still holds its output is not waited for.
    if (pump_)
        linger_ = core_.loop.after(kLinger, [this] {
            if (pump_ && !kHasProcess[static_cast<int>(phase_)]) pump_->finish();
        });
    consider_removal();
    tell();
    answer(stopping_, nullptr);
    if (std::exchange(start_requested_, false)) return begin(true);
    // Somebody waited for its start, and it ended first.
    if (!delay && !starting_.empty()) {
        const auto failure = Failure::from(make_error("container {} was stopped while it started", row_.name));
        answer(starting_, &failure);
    }
}

/// The command that waits for the end removes it; this is for when there is none, or it was killed.
void Container::consider_removal() {
    if (phase_ != Phase::down || forgotten_ || row_.state != store::ContainerState::exited) return;
    if (!row_.labels.contains(kAutoRemoveLabel)) return;
    removal_ = core_.loop.after(kRemovalDelay, [this] {
        removal_.cancel();
        if (phase_ == Phase::down) spawn_remover(core_.store.layout(), row_.id);
        hooks_.quiet(row_.id);
    });
}

void Container::close_log() {
    linger_.cancel();
    pump_.reset();
    listeners_.end();
    terminal_pipe_.reset();
    core_.keeper.drop(keeper_name("log"));
    core_.keeper.drop(keeper_name("tty"));
}

void Container::wait_for_restart(std::chrono::nanoseconds delay) {
    restart_ = core_.loop.after(delay, [this] {
        restart_.cancel();
        begin(false);
    });
}

void Container::clean_up_process(bool keep_ports) {
    grace_.cancel();
    channel_.cancel();
    removal_.cancel();
    device_hooks_.cancel();
    launch_.reset();
    pidfd_.reset();
    row_.pid = 0;
    row_.pid_start_time = 0;
    if (std::exchange(hooked_, false))
        run_hooks({"poststop"}, "stopped", [this](const std::string&) { on_poststop_over(); });
    // The database first: if this process dies here, the next one finds a dead container and cleans up after it. A row
    // that is about to be deleted is not worth waiting for the database, which whoever deletes it is using.
    if (!forget_requested_) save();
    core_.keeper.drop(keeper_name("process"));
    core_.keeper.drop(keeper_name("released"));
    if (input_) core_.keeper.drop(keeper_name("stdin"));
    input_.reset();
    endpoints_.disconnect();
    try {
        cgroup().kill();
        cgroup().remove();
        runtime::leave_resctrl(row_.id);
        if (!keep_ports && !row_.config.ports_json.empty()) ports_.release();
    } catch (const Error& error) {
        log::debug("clean up after {}: {}", row_.name, error.what());
    }
}

}  // namespace compose::supervisor
