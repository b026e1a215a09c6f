#include "supervisor/execs.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "supervisor/exec_process.hpp"
#include "sys/clock.hpp"

namespace compose::supervisor {
namespace {

// How long an exit code waits for somebody to ask for it.
constexpr std::chrono::minutes kKeepResult{1};
constexpr std::string_view kPrefix = "exec/";

std::string keeper_name(std::uint64_t id) {
    return std::string(kPrefix) + std::to_string(id);
}

std::uint64_t first_id() {
    // Distinct from those of an earlier supervisor, whatever became of them.
    constexpr std::uint64_t kPerMillisecond = 1000;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(sys::wall_now().time_since_epoch()).count();
    return static_cast<std::uint64_t>(now) * kPerMillisecond;
}

}  // namespace

Execs::Execs(Core& core, Server*& server, std::function<void()> on_over)
    : core_(core), server_(server), on_over_(std::move(on_over)), last_id_(first_id()) {}

void Execs::start(SessionId session, const Request& request, runtime::ExecTarget target, std::vector<sys::Fd> stdio) {
    const Waiter starter{session, request.seq};
    const auto id = ++last_id_;
    auto& entry = entries_[id];
    entry.starter = starter;
    entry.detached = request.detach;
    try {
        const auto container = core_.store.container(request.id);
        if (!container) throw make_error(ErrorKind::not_found, "there is no container {}", request.id);
        const auto spec = runtime::spec_from_json(container->config.spec);
        auto process = request.process;
        complete_from(spec, process);
        runtime::Stdio ends;
        if (stdio.size() >= 3) ends = {std::move(stdio[0]), std::move(stdio[1]), std::move(stdio[2])};
        entry.launch = runtime::begin_exec(spec, target, process, std::move(ends), true);
        entry.pid = entry.launch->pid();
        core_.processes.expect(entry.pid, [this, id](const ChildExit& exit) {
            if (const auto found = entries_.find(id); found != entries_.end() && found->second.launch) on_channel(id);
            on_exit(id, exit.status.code);
        });
        core_.keeper.store(keeper_name(id), entry.pid, {entry.launch->pidfd()});
        entry.subject = store::container_event(*container, "exec_create: " + join(process.args, " "),
                                               {{"execID", std::to_string(id)}});
        store::append_event(core_.store.layout(), entry.subject);
        entry.channel = core_.loop.on_readable(entry.launch->channel(), [this, id] { on_channel(id); });
        entry.launch->release();
    } catch (const Error& error) {
        if (entry.pid != 0) core_.processes.forget(entry.pid);
        fail(starter, error);
        erase(id);
    }
}

void Execs::on_channel(std::uint64_t id) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || !found->second.launch) return;
    auto& entry = found->second;
    const auto state = entry.launch->poll();
    if (state == runtime::Launch::State::pending) return;
    entry.channel.cancel();
    if (state == runtime::Launch::State::failed) {
        const auto& failure = entry.launch->failure();
        core_.processes.forget(entry.pid);
        fail(entry.starter, make_error("{}", failure.message).with_exit_code(failure.exit_code));
        erase(id);
        return;
    }
    const auto terminal = entry.launch->take_terminal();
    entry.pidfd = entry.launch->take_pidfd();
    entry.launch.reset();
    entry.subject.action.replace(0, std::string_view("exec_create").size(), "exec_start");
    store::append_event(core_.store.layout(), entry.subject);
    Reply reply;
    reply.seq = entry.starter.seq;
    reply.exec_id = id;
    std::vector<sys::FdRef> fds;
    if (terminal) fds.emplace_back(terminal);
    server_->reply(entry.starter.session, reply, fds);
}

void Execs::on_exit(std::uint64_t id, int exit_code) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    auto& entry = found->second;
    entry.exit_code = exit_code;
    if (!entry.subject.type.empty()) {
        entry.subject.action = "exec_die";
        entry.subject.attributes["exitCode"] = std::to_string(exit_code);
        store::append_event(core_.store.layout(), entry.subject);
    }
    entry.pidfd.reset();
    const bool fetched = entry.detached || !entry.waiters.empty();
    for (const auto& waiter : entry.waiters) answer(waiter, exit_code);
    if (fetched) return erase(id);
    // Without descriptors: the value is the exit code now. It outlives this supervisor.
    core_.keeper.store(keeper_name(id), exit_code, {});
    keep_result(id, entry);
}

bool Execs::busy() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) { return !entry.second.exit_code; });
}

void Execs::keep_result(std::uint64_t id, Entry& entry) {
    on_over_();
    entry.expiry = core_.loop.after(kKeepResult, [this, id] { erase(id); });
}

void Execs::wait(SessionId session, const Request& request) {
    const Waiter waiter{session, request.seq};
    const auto found = entries_.find(request.exec_id);
    if (found == entries_.end())
        return fail(waiter, make_error(ErrorKind::not_found, "no command {} runs", request.exec_id));
    if (!found->second.exit_code) {
        found->second.waiters.push_back(waiter);
        return;
    }
    answer(waiter, *found->second.exit_code);
    erase(request.exec_id);
}

void Execs::signal(SessionId session, const Request& request) {
    const Waiter waiter{session, request.seq};
    const auto found = entries_.find(request.exec_id);
    if (found == entries_.end() || !found->second.pidfd)
        return fail(waiter, make_error(ErrorKind::not_found, "no command {} runs", request.exec_id));
    try {
        sys::send_signal(found->second.pidfd, request.signal);
        answer(waiter, 0);
    } catch (const Error& error) {
        fail(waiter, error);
    }
}

void Execs::adopt(std::map<std::string, Held>& held) {
    for (auto& [name, entry] : held) {
        if (!name.starts_with(kPrefix)) continue;
        std::uint64_t id = 0;
        std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), id);
        auto& found = entries_[id];
        if (entry.fds.empty()) {
            found.exit_code = static_cast<int>(entry.value);
            keep_result(id, found);
            continue;
        }
        found.pid = static_cast<pid_t>(entry.value);
        found.pidfd = std::move(entry.fds.front());
        core_.processes.adopt(found.pid, found.pidfd,
                              [this, id](const ChildExit& exit) { on_exit(id, exit.status.code); });
    }
}

void Execs::answer(const Waiter& waiter, int exit_code) {
    Reply reply;
    reply.seq = waiter.seq;
    reply.result = exit_code;
    server_->reply(waiter.session, reply);
}

void Execs::fail(const Waiter& waiter, const Error& error) {
    Reply reply;
    reply.seq = waiter.seq;
    reply.failure = Failure::from(error);
    server_->reply(waiter.session, reply);
}

void Execs::erase(std::uint64_t id) {
    // From inside a callback of a watch of this entry: watches allow that.
    entries_.erase(id);
    core_.keeper.drop(keeper_name(id));
    on_over_();
}

}  // namespace compose::supervisor
