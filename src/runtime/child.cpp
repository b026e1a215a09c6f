#include "runtime/child.hpp"

#include <csignal>

#include "sys/kernel_abi.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

constexpr int kSetupFailed = 128;
constexpr int kNotFound = 127;
constexpr int kNotRunnable = 126;

// The kernel's struct sigaction, all zero: the default action.
struct DefaultAction {
    void* handler = nullptr;
    unsigned long flags = 0;
    void* restorer = nullptr;
    std::uint64_t mask = 0;
};

// clone3 resets handlers but leaves what was ignored.
void reset_signals() noexcept {
    const DefaultAction action;
    for (int signal = 1; signal <= 64; ++signal)
        raw::call(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
    const std::uint64_t none = 0;
    raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

// Closes every descriptor from 3 on but those (-1: none).
template <std::size_t N>
void close_all_but(const int (&kept)[N]) noexcept {
    unsigned first = 3;
    for (;;) {
        unsigned next = ~0U;
        for (const int fd : kept)
            if (fd >= 0 && static_cast<unsigned>(fd) >= first && static_cast<unsigned>(fd) < next)
                next = static_cast<unsigned>(fd);
        if (next > first) raw::close_range(first, next == ~0U ? next : next - 1, 0);
        if (next == ~0U) return;
        first = next + 1;
    }
}
void close_all_but(int a, int b) noexcept {
    const int kept[] = {a, b};
    close_all_but(kept);
}

void start(Child& child) noexcept {
    raw::prctl(PR_SET_DUMPABLE, 0);
    for (int fd = 0; fd < 3; ++fd)
        if (child.setup.stdio[fd] >= 0) raw::dup3(child.setup.stdio[fd], fd, 0);
    int kept[5 + kMostCgroups] = {child.setup.channel, child.setup.target, child.setup.others[0], child.setup.others[1],
                                  child.setup.disk};
    for (std::size_t i = 0; i < kMostCgroups; ++i) kept[5 + i] = child.setup.cgroups[i];
    close_all_but(kept);
    raw::call(SYS_setsid);
    raw::call(SYS_umask, 022);
    reset_signals();
}

// A parent that died before it said so never will.
int wait_for(const Child& child, char expected) noexcept {
    char byte = 0;
    const long n = raw::read(child.setup.channel, &byte, 1);
    if (n != 1 || byte != expected) raw::end_process(kSetupFailed);
    return 0;
}

int tell_mounted(Child& child) noexcept {
    Report message;
    message.kind = Report::Kind::mounted;
    report(child, message, -1);
    return 0;
}

// The memory goes first: in the container's /proc this process can't be found, since its pid namespace is the host's.
int join_namespaces(Child& child) noexcept {
    forget_memory(child);
    const long result = raw::call(SYS_setns, child.setup.target, child.plan.namespaces);
    if (result < 0) return static_cast<int>(result);
    return static_cast<int>(raw::call(SYS_chdir, "/"));
}

// The process that is born here is the first that the container can see. It has nothing of the host: descriptors,
// directories and memory were given up before.
int second_stage(Child& child) noexcept {
    close_all_but(child.setup.channel, child.slave);
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD | (child.setup.sibling ? CLONE_PARENT : 0U);
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = child.setup.sibling ? 0 : SIGCHLD;
    const long pid = raw::call(raw::kClone3, &arguments, sizeof arguments);
    if (pid < 0) return static_cast<int>(pid);
    if (pid > 0) {
        Report message;
        message.kind = Report::Kind::started;
        message.value = pid;
        report(child, message, pidfd);
        raw::end_process(0);
    }
    raw::call(SYS_setsid);
    return take_terminal(child);
}

int close_handles(Child& child) noexcept {
    close_all_but(child.setup.channel, -1);
    for (int& handle : child.handles) handle = -1;
    return 0;
}

int set_limit(const Op& op) noexcept {
    const rlimit limit{op.a, op.b};
    return static_cast<int>(raw::call(SYS_prlimit64, 0, op.slot, &limit, nullptr));
}

int set_name(long call, const char* name) noexcept {
    std::size_t size = 0;
    while (name[size] != '\0') ++size;
    return static_cast<int>(raw::call(call, name, size));
}

// Moving a process between v1 cgroups waits for other processors; while this one waits, its parent goes on.
int enter_cgroups(Child& child) noexcept {
    for (const int fd : child.setup.cgroups) {
        if (fd < 0) continue;
        const long n = raw::call(SYS_write, fd, "0", 1);
        if (n < 0) return static_cast<int>(n);
    }
    return 0;
}

int carry_out(Child& child, const Op& op) noexcept {
    switch (op.kind) {
        case OpKind::enter_cgroups:
            return enter_cgroups(child);
        case OpKind::wait_attached:
            return wait_for(child, kAttached);
        case OpKind::join_namespaces:
            return join_namespaces(child);
        case OpKind::second_stage:
            return second_stage(child);
        case OpKind::join_other:
            return static_cast<int>(raw::call(SYS_setns, child.setup.others[op.mode], op.a));
        case OpKind::shared_memory:
            return open_shared_memory(child, op);
        case OpKind::open_image:
            return open_image(child, op);
        case OpKind::open_source:
            return open_source(child, op);
        case OpKind::isolate_mounts:
            return isolate_mounts();
        case OpKind::attach_disk:
            return attach_disk(child, op);
        case OpKind::overlay_root:
            return overlay_root(child, op);
        case OpKind::bind_root:
            return bind_root(child, op);
        case OpKind::join_cgroup:
            return static_cast<int>(raw::call(SYS_unshare, CLONE_NEWCGROUP));
        case OpKind::mount_new:
            return mount_new(child, op);
        case OpKind::set_attributes:
            return set_attributes(child, op);
        case OpKind::attach_source:
            return attach_source(child, op);
        case OpKind::directory:
        case OpKind::device:
        case OpKind::symlink:
        case OpKind::empty_file:
            return make_entry(child, op);
        case OpKind::seal:
            return seal(child, op);
        case OpKind::open_terminal:
            return open_terminal(child);
        case OpKind::null_stdio:
            return open_null(child, op);
        case OpKind::mask:
            return mask(child, op);
        case OpKind::read_only_path:
            return make_path_read_only(child, op);
        case OpKind::pivot:
            return pivot(child);
        case OpKind::hostname:
            return set_name(SYS_sethostname, op.source);
        case OpKind::domainname:
            return set_name(SYS_setdomainname, op.source);
        case OpKind::loopback_up:
            return loopback_up();
        case OpKind::rlimit:
            return set_limit(op);
        case OpKind::oom_score_adj:
            return set_oom_score(op);
        case OpKind::apparmor:
            return set_apparmor(child, op);
        case OpKind::selinux:
            return set_selinux(op);
        case OpKind::resolve_user:
            return resolve_user(child);
        case OpKind::tell_mounted:
            return tell_mounted(child);
        case OpKind::wait_release:
            return wait_for(child, kReleased);
        case OpKind::forget:
            forget_memory(child);
            return 0;
        case OpKind::sysctl:
            return set_sysctl(child, op);
        case OpKind::close_handles:
            return close_handles(child);
        case OpKind::session_keyring:
            return join_session_keyring(op);
        case OpKind::working_directory:
            return enter_directory(child, op);
        case OpKind::become_user:
            return become_user(child);
        case OpKind::start_hook:
            return run_start_hook(child, op);
        case OpKind::run:
            return run(child);
    }
    return -EINVAL;
}

}  // namespace

void report(Child& child, const Report& message, int fd) noexcept {
    iovec part{const_cast<Report*>(&message), sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    if (fd >= 0) {
        packet.msg_control = control;
        packet.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
    }
    // Without the parent there is nobody to go on for.
    if (raw::call(SYS_sendmsg, child.setup.channel, &packet, MSG_NOSIGNAL) < 0) raw::end_process(kSetupFailed);
}

void fail(Child& child, int error) noexcept {
    Report message;
    message.kind = Report::Kind::failed;
    message.op = static_cast<std::uint32_t>(child.current);
    message.error = -error;
    message.detail = child.detail;
    message.value = child.value;
    report(child, message, -1);
    if (child.plan.ops[child.current].kind != OpKind::run) raw::end_process(kSetupFailed);
    raw::end_process(error == -ENOENT || error == -ENOTDIR ? kNotFound : kNotRunnable);
}

__attribute__((noinline)) void run_child(const ChildSetup& setup) noexcept {
    // What lies above this frame is the engine's past; the frame's own two words are still needed by nobody.
    Child child(setup, static_cast<const char*>(__builtin_frame_address(0)));
    start(child);
    for (child.current = 0; child.current < child.plan.ops.size; ++child.current) {
        const int result = carry_out(child, child.plan.ops[child.current]);
        if (result < 0) fail(child, result);
    }
    raw::end_process(kSetupFailed);
}

}  // namespace compose::runtime
