// The beginning of a container's run.
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "net/host_interface.hpp"
#include "supervisor/container.hpp"
#include "supervisor/volume_mounts.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace compose::supervisor {
namespace {

std::int64_t wall_nanoseconds() {
    return sys::wall_now().time_since_epoch().count();
}

void mount_volumes(const runtime::ContainerSpec& spec, const store::Store& store) {
    for (const auto& mount : spec.mounts) {
        if (mount.volume.empty() || mount.source != store.layout().volume_data(mount.volume)) continue;
        if (const auto volume = store.volume(mount.volume)) mount_once(*volume, mount.source);
    }
}

}  // namespace

void Container::begin(bool by_hand) {
    if (!kCanBegin[static_cast<int>(phase_)]) return;
    if (by_hand) history_ = {};
    try {
        launch();
    } catch (const Error& error) {
        on_launch_failed(Failure::from(error));
    }
    attached_.clear();
}

void Container::launch() {
    // The engine may have changed it since the last time.
    auto fresh = core_.store.container(row_.id);
    if (!fresh || fresh->project != core_.project)
        throw make_error(ErrorKind::not_found, "there is no container {}", short_id(row_.id));
    auto spec = runtime::spec_from_json(fresh->config.spec);
    auto wishes = port_wishes_from_json(fresh->config.ports_json);
    fresh->config.spec.clear();
    row_ = std::move(*fresh);
    note_facts(spec);
    read_options();
    row_.stopped_by_user = false;
    row_.restart_count = history_.restarts;
    row_.error.clear();
    row_.oom_killed = false;
    phase_ = Phase::launching;
    runtime::prepare_bundle(spec, core_.store.layout().container(row_.id), options_.device_hooks);
    mount_volumes(spec, core_.store);
    std::vector<sys::Fd> held;
    const auto joins = find_joins(spec, held);
    take_ports_unless_held(std::move(wishes));
    launch_ = runtime::begin_launch(spec, make_stdio(spec), true, joins);
    const auto pid = launch_->pid();
    core_.processes.expect(pid, [this](const ChildExit& exit) { on_exit(exit); });
    core_.keeper.store(keeper_name("process"), pid, {launch_->pidfd()});
    row_.pid = pid;
    row_.pid_start_time = sys::start_time(pid).value_or(0);
    row_.boot_id = core_.boot_id;
    save();
    try {
        if (spec.network == runtime::NamespaceMode::own) {
            const auto netns = launch_->open_netns();
            endpoints_.connect(row_, netns);
            for (const auto& [host, name] : spec.net_devices) net::take_interface(host, netns, name);
        }
    } catch (const Error&) {
        // A child that failed is gone before its namespace could be visited: its own words say why.
        if (launch_->poll() != runtime::Launch::State::failed) throw;
        const auto& failure = launch_->failure();
        throw Error(failure.message).with_exit_code(failure.exit_code);
    }
    channel_ = core_.loop.on_readable(launch_->channel(), [this] { on_channel(); });
    if (spec.bundle.empty()) let_go();
}

void Container::let_go() {
    // From here on it may run at any moment, so a successor must treat it as running.
    core_.keeper.store(keeper_name("released"), row_.pid, {});
    launch_->release();
}

// The first processes of the containers whose namespaces it joins, whichever project they belong to. With a network
// come the files that say what is called how in it.
runtime::JoinTargets Container::find_joins(runtime::ContainerSpec& spec, std::vector<sys::Fd>& held) const {
    const auto find = [&](const std::string& name, const char* what) -> std::pair<sys::FdRef, store::Container> {
        auto other = core_.store.container_by_name(name);
        if (!other) throw make_error(ErrorKind::not_found, "cannot join {} of container {}: there is none", what, name);
        const auto pid = static_cast<pid_t>(other->pid);
        auto process = pid > 0 && other->boot_id == core_.boot_id && other->state == store::ContainerState::running
                           ? sys::open_pidfd(pid)
                           : std::nullopt;
        if (!process || sys::start_time(pid) != other->pid_start_time)
            throw make_error(ErrorKind::conflict, "cannot join {} of container {}: it is not running", what, name);
        held.push_back(std::move(*process));
        return {held.back(), std::move(*other)};
    };
    held.reserve(3);
    runtime::JoinTargets joins;
    if (spec.network == runtime::NamespaceMode::joined) {
        const auto [process, other] = find(spec.network_of, "the network");
        joins.network = process;
        const auto theirs = runtime::spec_from_json(other.config.spec);
        spec.hostname = theirs.hostname;
        spec.hosts_file = theirs.hosts_file;
        spec.resolv_conf_file = theirs.resolv_conf_file;
        spec.hostname_file = theirs.hostname_file;
    }
    if (spec.pid == runtime::NamespaceMode::joined) joins.pid = find(spec.pid_of, "the processes").first;
    if (spec.ipc == runtime::NamespaceMode::joined) {
        const auto [process, other] = find(spec.ipc_of, "IPC");
        joins.ipc = process;
        if (!runtime::spec_from_json(other.config.spec).joinable_ipc)
            throw make_error(ErrorKind::conflict, "cannot join IPC of container {}: it is private", other.name)
                .with_hint("give that service ipc: shareable");
    }
    return joins;
}

runtime::Stdio Container::make_stdio(const runtime::ContainerSpec& spec) {
    runtime::Stdio stdio;
    if (pump_) pump_->finish();  // of the run before
    close_log();
    auto given = std::exchange(given_, std::nullopt);
    if (attached_.size() >= 3) {
        if (!spec.process.terminal) stdio = {std::move(attached_[0]), std::move(attached_[1]), std::move(attached_[2])};
        return stdio;
    }
    if (given && given->in)
        stdio.in = std::move(given->in);
    else
        open_input(spec, stdio);
    if (!row_.config.log && !spec.process.terminal && given) {
        stdio.out = std::move(given->out);
        stdio.err = std::move(given->err);
        return stdio;
    }
    if (!row_.config.log) return stdio;
    if (given) listeners_.add(std::move(given->out), std::move(given->err));
    auto out = sys::make_pipe();
    if (spec.process.terminal) {
        core_.keeper.store(keeper_name("tty"), 0, {out.write});
        auto source = OutputLog::make_source(std::move(out.read), sys::Fd());
        terminal_pipe_ = std::move(out.write);
        start_pump(std::move(source));
        return stdio;
    }
    auto err = sys::make_pipe();
    start_pump(OutputLog::make_source(std::move(out.read), std::move(err.read)));
    stdio.out = std::move(out.write);
    stdio.err = std::move(err.write);
    return stdio;
}

void Container::open_input(const runtime::ContainerSpec& spec, runtime::Stdio& stdio) {
    if (!spec.stdin_open || spec.process.terminal) return;
    auto in = sys::make_pipe();
    stdio.in = std::move(in.read);
    input_ = std::move(in.write);
    core_.keeper.store(keeper_name("stdin"), 0, {input_});
}

void Container::start_pump(OutputLog::Source source) {
    const auto& s = source;
    std::vector<sys::FdRef> fds{s.page, s.spool[0], s.spool[1]};
    if (s.pipe[0]) fds.emplace_back(s.pipe[0]);
    if (s.pipe[1]) fds.emplace_back(s.pipe[1]);
    // The value says which of the pipes there are.
    const std::int64_t which = (s.pipe[0] ? 1 : 0) | (s.pipe[1] ? 2 : 0);
    core_.keeper.store(keeper_name("log"), which, fds);
    const auto path = core_.store.layout().container_log(row_.id);
    LogLimits limits{options_.log_file_size, options_.log_files, options_.log_backlog};
    if (options_.log_compress) {
        limits.rotated = [this, path] { core_.compressor.look_at(path); };
        core_.compressor.look_at(path);  // what an earlier supervisor left
    }
    OutputLog output(path, std::move(source), std::move(limits));
    pump_.emplace(core_.loop, core_.buffers, std::move(output), [this] {
        // It may have closed its output and go on; then its exit ends the log.
        if (kHasProcess[static_cast<int>(phase_)]) return;
        close_log();
        hooks_.quiet(row_.id);
    });
    pump_->set_tap([this](Stream stream, std::string_view bytes) {
        if (!listeners_.empty()) listeners_.feed(stream, bytes);
    });
}

void Container::on_channel() {
    if (!launch_) return;
    const auto state = launch_->poll();
    if (state == runtime::Launch::State::pending) {
        if (launch_->mounted() && !hooked_) run_create_hooks();
        return;
    }
    channel_.cancel();
    if (state == runtime::Launch::State::running) return on_running();
    const auto& failure = launch_->failure();
    on_launch_failed(Failure::from(make_error("{}", failure.message).with_exit_code(failure.exit_code)));
}

void Container::on_running() {
    auto terminal = launch_->take_terminal();
    pidfd_ = launch_->take_pidfd();
    launch_.reset();
    phase_ = Phase::running;
    started_ = sys::monotonic_now();
    row_.state = store::ContainerState::running;
    row_.started_at = wall_nanoseconds();
    row_.exit_code = 0;
    row_.finished_at = 0;
    begin_health(store::Health::starting);
    save();
    sys::Fd for_starter;
    if (terminal && pump_) {
        core_.keeper.store(keeper_name("tty"), 0, {terminal_pipe_, terminal});
        pump_->attach_terminal({std::move(terminal), std::move(terminal_pipe_)});
    } else {
        for_starter = std::move(terminal);
    }
    record("start");
    tell();
    answer(starting_, nullptr, for_starter);
    if (hooked_) run_hooks({"poststart"}, "running", {});
}

void Container::begin_health(store::Health known) {
    row_.health = store::Health::none;
    if (row_.config.health_json.empty()) return;
    try {
        auto config = health_from_json(row_.config.health_json);
        row_.health = known;
        health_.emplace(core_, std::move(config),
                        HealthCheck::Subject{row_.id, static_cast<pid_t>(row_.pid), pidfd_, started_, known},
                        [this](store::Health state) { on_health(state); });
    } catch (const Error& error) {
        log::debug("health check of {}: {}", row_.name, error.what());
    }
}

void Container::on_health(store::Health state) {
    row_.health = state;
    save();
    record("health_status: " + std::string(store::to_string(state)));
    tell();
    if (state != store::Health::unhealthy || !options_.restart_on_unhealthy || stop_requested_) return;
    unhealthy_ = true;
    // Not from inside the check: stopping is its end.
    restart_ = core_.loop.after(std::chrono::nanoseconds(0), [this] {
        restart_.cancel();
        if (unhealthy_ && !stop_requested_ && phase_ == Phase::running) signal_stop(std::nullopt);
    });
}

void Container::on_launch_failed(const Failure& failure) {
    if (row_.pid != 0) core_.processes.forget(row_.pid);
    row_.error = failure.message;
    row_.exit_code = failure.exit_code;
    row_.finished_at = wall_nanoseconds();
    row_.health = store::Health::none;
    given_.reset();
    record("die", {{"exitCode", std::to_string(failure.exit_code)}, {"error", failure.message}});
    // A restart that fails is tried again as its policy says; the first start is not: somebody hears of it.
    const bool by_hand = !starting_.empty();
    const bool stopping = stop_requested_ || forget_requested_;
    std::optional<std::chrono::nanoseconds> delay;
    if (!by_hand && !stopping) delay = next_restart(policy_, history_, failure.exit_code, {}, row_.stopped_by_user);
    phase_ = delay ? Phase::waiting : Phase::down;
    if (delay)
        row_.state = store::ContainerState::restarting;
    else if (row_.state != store::ContainerState::created)
        row_.state = store::ContainerState::exited;
    if (pump_) pump_->finish();
    close_log();
    stop_requested_ = false;
    clean_up_process(delay.has_value());
    if (delay) wait_for_restart(*delay);
    forgotten_ = forget_requested_ && !device_hooks_.busy();
    tell();
    answer(starting_, &failure);
    answer(stopping_, nullptr);
    if (std::exchange(start_requested_, false)) begin(true);
}

}  // namespace compose::supervisor
