// Finding a container whose run began under an earlier supervisor.
#include "base/log.hpp"
#include "supervisor/container.hpp"
#include "sys/clock.hpp"
#include "sys/process_tree.hpp"
#include "sys/reaper.hpp"

namespace compose::supervisor {
namespace {

constexpr int kLostExitCode = 255;

std::int64_t wall_nanoseconds() {
    return sys::wall_now().time_since_epoch().count();
}

}  // namespace

void Container::adopt(std::map<std::string, Held>& held, const std::vector<ChildExit>& exits) {
    using State = store::ContainerState;
    history_.restarts = history_.attempts = row_.restart_count;
    const bool was_up = store::is_up(row_.state) || row_.pid != 0;
    hooked_ = row_.pid != 0 && !options_.device_hooks.empty();
    if (const auto found = held.find(HealthCheck::keeper_name(row_.id)); found != held.end()) {
        HealthCheck::kill_leftover(found->second);
        core_.keeper.drop(found->first);
    }
    ports_.adopt(held);
    endpoints_.recall_sockets(held);
    if (was_up && row_.boot_id != core_.boot_id) {
        row_.error = "the host was restarted";
        row_.exit_code = kLostExitCode;
        row_.state = State::exited;
        adopt_dead();
        if (!revive(policy_, row_.stopped_by_user)) return;
        phase_ = Phase::waiting;
        row_.state = State::restarting;
        save();
        return wait_for_restart({});
    }
    adopt_log(held);
    if (const auto found = held.find(keeper_name("stdin")); found != held.end() && !found->second.fds.empty()) {
        input_ = std::move(found->second.fds.front());
        core_.keeper.store(keeper_name("stdin"), 0, {input_});
    }
    if (row_.pid != 0) return adopt_process(held, exits);
    if (row_.state == State::restarting || row_.state == State::running) {
        phase_ = Phase::waiting;
        row_.state = State::restarting;
        history_.delay = kFirstRestartDelay;
        for (int i = 1; i < history_.restarts && history_.delay < kLongestRestartDelay; ++i) history_.delay *= 2;
        history_.delay = std::min<std::chrono::nanoseconds>(history_.delay, kLongestRestartDelay);
        return wait_for_restart(history_.delay);
    }
    if (left_something(held)) adopt_dead();
}

bool Container::left_something(const std::map<std::string, Held>& held) {
    if (held.contains(keeper_name("process")) || !core_.store.ports_of(row_.id).empty()) return true;
    return row_.boot_id == core_.boot_id && cgroup().exists();
}

void Container::adopt_log(std::map<std::string, Held>& held) {
    const auto found = held.find(keeper_name("log"));
    if (found == held.end() || found->second.fds.size() < 3) return;
    auto& fds = found->second.fds;
    OutputLog::Source source;
    source.page = std::move(fds[0]);
    source.spool[0] = std::move(fds[1]);
    source.spool[1] = std::move(fds[2]);
    std::size_t next = 3;
    for (const auto at : {0, 1})
        if ((found->second.value & (1 << at)) != 0 && next < fds.size()) source.pipe[at] = std::move(fds[next++]);
    start_pump(std::move(source));
    const auto tty = held.find(keeper_name("tty"));
    if (tty == held.end() || tty->second.fds.empty()) return;
    terminal_pipe_ = std::move(tty->second.fds[0]);
    if (tty->second.fds.size() < 2) return;
    core_.keeper.store(keeper_name("tty"), 0, {terminal_pipe_, tty->second.fds[1]});
    pump_->attach_terminal({std::move(tty->second.fds[1]), std::move(terminal_pipe_)});
}

namespace {

/// Of a process that an earlier supervisor began, when it is over. One that is not the keeper's child, and a zombie,
/// nobody tells of.
std::optional<ChildExit> end_of(pid_t pid, sys::FdRef pidfd, const std::vector<ChildExit>& exits) {
    const auto told = std::find_if(exits.begin(), exits.end(), [&](const ChildExit& exit) { return exit.pid == pid; });
    if (told != exits.end()) return *told;
    const sys::ExitStatus lost{kLostExitCode, 0};
    if (!pidfd) return ChildExit{pid, lost, wall_nanoseconds()};
    if (!sys::has_exited(pidfd) || sys::parent_of(pid) == sys::parent_pid()) return std::nullopt;
    return ChildExit{pid, sys::exit_status_of(pidfd).value_or(lost), wall_nanoseconds()};
}

}  // namespace

void Container::adopt_process(std::map<std::string, Held>& held, const std::vector<ChildExit>& exits) {
    const auto pid = static_cast<pid_t>(row_.pid);
    const auto found = held.find(keeper_name("process"));
    const bool kept = found != held.end() && found->second.value == pid && !found->second.fds.empty();
    if (kept)
        pidfd_ = std::move(found->second.fds.front());
    else if (auto opened = sys::open_pidfd(pid); opened && sys::start_time(pid) == row_.pid_start_time)
        pidfd_ = std::move(*opened);
    const bool released = held.contains(keeper_name("released")) || row_.state == store::ContainerState::running ||
                          row_.state == store::ContainerState::paused;
    phase_ = Phase::running;
    const auto ran = std::chrono::nanoseconds(std::max<std::int64_t>(wall_nanoseconds() - row_.started_at, 0));
    started_ = sys::monotonic_now() - (row_.started_at == 0 || !released ? std::chrono::nanoseconds(0) : ran);
    if (released && row_.state != store::ContainerState::running && row_.state != store::ContainerState::paused) {
        row_.state = store::ContainerState::running;
        row_.started_at = wall_nanoseconds();
        save();
    }
    // Half started: its set-up died with its supervisor, so it is made again.
    interrupted_ = !released;
    const auto ended = end_of(pid, pidfd_, exits);
    if (ended || interrupted_) endpoints_.recall();
    if (ended) return on_exit(*ended);
    core_.keeper.store(keeper_name("process"), pid, {pidfd_});
    core_.processes.adopt(pid, pidfd_, [this](const ChildExit& exit) { on_exit(exit); });
    if (interrupted_) return kill_all();
    endpoints_.adopt(row_, pid);
    // Killed between freezing it and writing that down, or the other way round: the kernel knows.
    const bool frozen = cgroup().frozen();
    if (frozen != (row_.state == store::ContainerState::paused)) {
        row_.state = frozen ? store::ContainerState::paused : store::ContainerState::running;
        save();
    }
    if (frozen) return;
    begin_health(row_.health == store::Health::none ? store::Health::starting : row_.health);
}

void Container::adopt_dead() {
    endpoints_.recall();
    phase_ = Phase::down;
    clean_up_process(false);
    consider_removal();
}

}  // namespace compose::supervisor
