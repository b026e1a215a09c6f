#include "runtime/launcher.hpp"

#include <csignal>
#include <cstring>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/arena.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/channel.hpp"
#include "runtime/child.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/host_facts.hpp"
#include "runtime/resctrl.hpp"
#include "runtime/seccomp.hpp"
#include "sys/clone.hpp"
#include "sys/device.hpp"
#include "sys/disk.hpp"
#include "sys/file.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/poll.hpp"
#include "sys/process.hpp"
#include "sys/socket.hpp"

namespace compose::runtime {

struct Launch::Impl {
    ProcessSpec process;
    Arena arena;
    LaunchPlan plan;
    pid_t pid = -1;
    sys::Fd pidfd;
    sys::Fd channel;
    sys::Fd terminal;
    bool own_child = false;  // ours to reap
    bool needs_release = false;
    bool about_to_exec = false;
    bool mounted = false;
    State state = State::pending;
    LaunchFailure failure;

    void fail(LaunchFailure why) {
        failure = std::move(why);
        state = State::failed;
        channel.reset();
    }
    void take(const Report& report, std::vector<sys::Fd>& fds);
    void finish();
    void abandon() noexcept;
};

namespace {

constexpr auto kStageTimeout = std::chrono::seconds(10);

// The child gets these by number, above the three that they will become.
void raise(sys::Fd& fd) {
    if (fd && fd.get() < 3) fd = fd.duplicate();
}

sys::Fd high_copy(sys::FdRef fd) {
    sys::Fd copy = fd ? sys::duplicate(fd) : sys::Fd();
    raise(copy);
    return copy;
}

// A /dev/null of the host is never passed on: the container could change the mode of that node. It gets its own.
unsigned null_mask_of(const Stdio& stdio) {
    unsigned mask = 0;
    const sys::Fd* const ends[] = {&stdio.in, &stdio.out, &stdio.err};
    for (unsigned i = 0; i < 3; ++i)
        if (!*ends[i] || sys::is_null_device(*ends[i])) mask |= 1U << i;
    return mask;
}

void enter_child(void* setup) noexcept {
    run_child(*static_cast<const ChildSetup*>(setup));
}

// What the child is given, and both ends of the channel.
sys::Fd prepare(Launch::Impl& impl, Stdio& stdio, ChildSetup& setup) {
    auto pair = sys::make_seqpacket_pair();
    raise(pair.first);
    raise(pair.second);
    sys::set_nonblocking(pair.first, true);
    impl.channel = std::move(pair.first);
    setup.plan = &impl.plan;
    setup.arena = impl.arena.begin();
    setup.arena_size = impl.arena.capacity();
    setup.slots = impl.arena.list<int>(impl.plan.slots).data;
    setup.channel = pair.second.get();
    if (!impl.plan.terminal) {
        sys::Fd* const ends[] = {&stdio.in, &stdio.out, &stdio.err};
        for (unsigned i = 0; i < 3; ++i) {
            raise(*ends[i]);
            setup.stdio[i] = ends[i]->get();
        }
    }
    return std::move(pair.second);
}

void send_byte(sys::FdRef channel, char byte) {
    try {
        if (!sys::send_packet(channel, {&byte, 1})) throw make_error("the launch channel is full");
    } catch (const Error& error) {
        // A child that is gone is found by poll(), with its reason.
        if (error.code() != EPIPE && error.code() != ECONNRESET) throw;
    }
}

std::optional<Report> report_in(const sys::Packet& packet) {
    Report report;
    if (packet.data.size() != sizeof report) return std::nullopt;
    std::memcpy(&report, packet.data.data(), sizeof report);
    if (static_cast<std::uint32_t>(report.detail) >= static_cast<std::uint32_t>(Detail::count)) return std::nullopt;
    return report;
}

// Waits until the first stage has started the process that will exec, and is gone itself.
void await_second_stage(Launch::Impl& impl, sys::FdRef stage) {
    const auto deadline = std::chrono::steady_clock::now() + kStageTimeout;
    while (impl.pid < 0 && impl.state == Launch::State::pending) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) throw make_error("no answer from the container: is it paused?");
        sys::PollItem item{impl.channel};
        if (!sys::poll({&item, 1}, left)) continue;
        sys::Packet packet;
        const auto received = sys::receive_packet(impl.channel, packet);
        if (received == sys::Received::nothing) continue;
        const auto report = received == sys::Received::packet ? report_in(packet) : std::nullopt;
        if (!report) throw make_error("the process that enters the container died");
        impl.take(*report, packet.fds);
    }
    sys::reap(stage);
}

}  // namespace

void Launch::Impl::take(const Report& report, std::vector<sys::Fd>& fds) {
    switch (report.kind) {
        case Report::Kind::failed:
            fail(failure_of(report, plan, process));
            return;
        case Report::Kind::about_to_exec:
            about_to_exec = true;
            return;
        case Report::Kind::mounted:
            mounted = true;
            return;
        case Report::Kind::terminal:
            if (plan.terminal && !terminal && fds.size() == 1 && sys::is_terminal_master(fds.front())) {
                terminal = std::move(fds.front());
                return;
            }
            break;
        case Report::Kind::started:
            // Only the first stage may say so, which no container can see.
            if (pid < 0 && fds.size() == 1 && report.value > 0) {
                pid = static_cast<pid_t>(report.value);
                pidfd = std::move(fds.front());
                return;
            }
            break;
    }
    fail({"the launch channel brought something unexpected"});
}

void Launch::Impl::finish() {
    if (about_to_exec && (!plan.terminal || terminal)) {
        state = State::running;
        channel.reset();
    } else {
        fail({"the process died while it was being set up"});
    }
}

// Kills what has not become a container.
void Launch::Impl::abandon() noexcept {
    if (!pidfd) return;
    try {
        sys::send_signal(pidfd, SIGKILL);
    } catch (const Error& error) {
        log::debug("abandon launch: {}", error.what());
    }
    channel.reset();
    if (own_child) sys::reap(pidfd);
    pidfd.reset();
}

Launch::Launch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Launch::Launch(Launch&&) noexcept = default;
Launch& Launch::operator=(Launch&& other) noexcept {
    if (this != &other) {
        if (impl_ && impl_->state == State::pending) impl_->abandon();
        impl_ = std::move(other.impl_);
    }
    return *this;
}
Launch::~Launch() {
    if (impl_ && impl_->state == State::pending) impl_->abandon();
}

pid_t Launch::pid() const {
    return impl_->pid;
}
sys::FdRef Launch::pidfd() const {
    return impl_->pidfd;
}
sys::FdRef Launch::channel() const {
    return impl_->channel;
}
bool Launch::mounted() const {
    return impl_->mounted;
}
const LaunchFailure& Launch::failure() const {
    return impl_->failure;
}
sys::Fd Launch::take_pidfd() {
    return std::move(impl_->pidfd);
}
sys::Fd Launch::take_terminal() {
    return std::move(impl_->terminal);
}

sys::Fd Launch::open_netns() const {
    sys::Fd fd = sys::open_for_reading(fmt::format("/proc/{}/ns/net", impl_->pid));
    // Alive after the open: so the number was still its own.
    if (sys::has_exited(impl_->pidfd)) throw make_error("the process has exited");
    return fd;
}

void Launch::release() {
    if (!impl_->needs_release || impl_->state != State::pending) return;
    impl_->needs_release = false;
    send_byte(impl_->channel, kReleased);
}

Launch::State Launch::poll() {
    try {
        sys::Packet packet;
        while (impl_->state == State::pending) {
            const auto received = sys::receive_packet(impl_->channel, packet);
            if (received == sys::Received::nothing) break;
            if (received == sys::Received::closed) {
                impl_->finish();
            } else if (const auto report = report_in(packet)) {
                impl_->take(*report, packet.fds);
            } else {
                impl_->fail({"the launch channel brought something unexpected"});
            }
        }
    } catch (const Error& error) {
        impl_->fail({error.what()});
    }
    return impl_->state;
}

namespace {

// What the spec joins must be there: else the process would silently stay in the host's namespaces.
void check_joins(const ContainerSpec& spec, const JoinTargets& joins) {
    const auto check = [](NamespaceMode mode, sys::FdRef target, const std::string& name) {
        if (mode == NamespaceMode::joined && !target)
            throw make_error(ErrorKind::conflict, "container {} is not running, whose namespaces are to be joined",
                             name);
    };
    check(spec.network, joins.network, spec.network_of);
    check(spec.pid, joins.pid, spec.pid_of);
    check(spec.ipc, joins.ipc, spec.ipc_of);
    if (spec.uts == NamespaceMode::joined || spec.cgroup == NamespaceMode::joined)
        throw make_error(ErrorKind::invalid, "only network, pid and IPC namespaces can be joined");
}

}  // namespace

Launch begin_launch(const ContainerSpec& spec, Stdio stdio, bool for_keeper, const JoinTargets& joins) {
    check_joins(spec, joins);
    auto impl = std::make_unique<Launch::Impl>();
    impl->process = spec.process;
    impl->own_child = !for_keeper;
    impl->needs_release = true;
    Cgroup cgroup(cgroup_root(), spec.cgroup_parent, spec.id);
    try {
        const auto devices = wanted_devices(spec);
        cgroup.create(spec.resources, spec.privileged, device_rules_of(spec, devices));
        HostFacts facts = host_facts_for(spec, cgroup);
        facts.devices.insert(facts.devices.begin(), devices.begin(), devices.end());
        impl->plan = plan_launch(spec, facts, null_mask_of(stdio), impl->arena);
        ChildSetup setup;
        // Above the three that stdio becomes.
        const sys::Fd others[] = {high_copy(joins.network), high_copy(joins.ipc)};
        for (std::size_t i = 0; i < std::size(others); ++i) setup.others[i] = others[i].get();
        auto entrances = cgroup.open_v1_entrances();
        if (entrances.size() > kMostCgroups) throw make_error("this host has more cgroup hierarchies than are known");
        for (std::size_t i = 0; i < entrances.size(); ++i) {
            raise(entrances[i]);
            setup.cgroups[i] = entrances[i].get();
        }
        sys::Fd disk = spec.disk.empty() ? sys::Fd() : sys::open_disk(spec.disk);
        raise(disk);
        setup.disk = disk.get();
        const sys::Fd far_end = prepare(*impl, stdio, setup);
        const sys::Fd born_in = cgroup.open_v2_directory();
        sys::CloneRequest request;
        request.namespaces = impl->plan.namespaces;
        request.as_sibling = for_keeper;
        request.cgroup = born_in;
        request.born_beside = joins.pid;
        auto process = sys::clone_process(request, enter_child, &setup);
        impl->pid = process.pid;
        impl->pidfd = std::move(process.pidfd);
        log::debug("container {}: process {}", spec.id, impl->pid);
        if (spec.cache_share) join_resctrl(*spec.cache_share, spec.id, impl->pid);
    } catch (...) {
        impl->abandon();
        if (spec.cache_share) leave_resctrl(spec.id);
        try {
            cgroup.remove();
        } catch (const Error& error) {
            log::debug("remove cgroup of {}: {}", spec.id, error.what());
        }
        throw;
    }
    return Launch(std::move(impl));
}

Launch begin_exec(const ContainerSpec& spec, ExecTarget target, const ProcessSpec& process, Stdio stdio,
                  bool for_keeper) {
    auto impl = std::make_unique<Launch::Impl>();
    impl->process = process;
    impl->own_child = !for_keeper;
    Cgroup cgroup(cgroup_root(), spec.cgroup_parent, spec.id);
    // A process that is put into a frozen cgroup would never answer.
    if (cgroup.frozen()) throw make_error(ErrorKind::conflict, "the container is paused");
    impl->plan = plan_exec(spec, process, host_facts_for(spec, cgroup), null_mask_of(stdio), impl->arena);
    ChildSetup setup;
    sys::Fd far_end = prepare(*impl, stdio, setup);
    setup.target = target.pidfd.get();
    setup.sibling = !for_keeper;
    const sys::Fd born_in = cgroup.open_v2_directory();
    sys::CloneRequest request;
    request.cgroup = born_in;
    // A sibling of the first stage inherits its exit signal; else that stage is nobody's business but ours.
    request.exit_signal = for_keeper ? 0 : SIGCHLD;
    const auto stage = sys::clone_process(request, enter_child, &setup);
    far_end.reset();  // or the end of the child would go unnoticed
    try {
        cgroup.attach(stage.pid, static_cast<bool>(born_in));
        if (spec.cache_share) join_resctrl(*spec.cache_share, spec.id, stage.pid);
        send_byte(impl->channel, kAttached);
        await_second_stage(*impl, stage.pidfd);
        if (impl->state == Launch::State::failed && impl->pid < 0)
            throw make_error("{}", impl->failure.message).with_exit_code(impl->failure.exit_code);
    } catch (...) {
        sys::send_signal(stage.pidfd, SIGKILL);
        sys::reap(stage.pidfd);
        impl->abandon();
        throw;
    }
    return Launch(std::move(impl));
}

void prepare_launcher() {
    (void)fixed_host_facts();
    (void)seccomp_program(kDefaultCapabilities);
}

}  // namespace compose::runtime
