
#include <csignal>

#include "runtime/child.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

constexpr unsigned kPtySlaveMajor = 136;

std::size_t length(const char* text) noexcept {
    std::size_t n = 0;
    while (text[n] != '\0') ++n;
    return n;
}

int write_text(int fd, const char* text) noexcept {
    const std::size_t size = length(text);
    const long n = raw::write(fd, text, size);
    if (n < 0) return static_cast<int>(n);
    return static_cast<std::size_t>(n) == size ? 0 : -EIO;
}

// Closes what was opened, which may be an error; refuses what the kernel's own file system does not hold.
int write_kernel_file(int fd, const char* text) noexcept {
    if (fd < 0) return fd;
    struct statfs fs;
    int result = raw::fstatfs(fd, fs);
    if (result == 0 && fs.f_type != PROC_SUPER_MAGIC) result = -EXDEV;
    if (result == 0) result = write_text(fd, text);
    raw::close(fd);
    return result;
}

// A file of the image, read into fresh memory. Empty when there is none. Opening must neither hang nor have effects.
int read_image_file(Child& child, const char* path, std::string_view& out) noexcept {
    constexpr std::size_t kLimit = std::size_t{10} << 20U;
    const int fd = raw::openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, kInRoot);
    out = {};
    if (fd == -ENOENT || fd == -ENOTDIR) return 0;
    if (fd < 0) return fd;
    struct statx info;
    int result = raw::statx(fd, "", AT_EMPTY_PATH, info);
    if (result == 0 && !S_ISREG(info.stx_mode)) result = child.fail_with(-EINVAL, Detail::not_a_regular_file);
    if (result == 0 && info.stx_size > kLimit) result = child.fail_with(-EFBIG, Detail::too_large);
    if (result == 0 && info.stx_size > 0) {
        const auto size = static_cast<std::size_t>(info.stx_size);
        auto* data = static_cast<char*>(raw::map_anonymous(size));
        if (data == nullptr) return -ENOMEM;
        std::size_t filled = 0;
        while (filled < size) {
            const long n = raw::read(fd, data + filled, size - filled);
            if (n < 0) result = static_cast<int>(n);
            if (n <= 0) break;
            filled += static_cast<std::size_t>(n);
        }
        out = {data, filled};
    }
    raw::close(fd);
    return result;
}

void set_home(Child& child) noexcept {
    if (child.plan.home_slot == nullptr) return;
    constexpr std::string_view kPrefix = "HOME=";
    std::string_view home = child.identity.home;
    if (home.empty() || home.front() != '/') home = "/";
    auto* text = static_cast<char*>(raw::map_anonymous(kPrefix.size() + home.size() + 1));
    if (text == nullptr) return;
    for (std::size_t i = 0; i < kPrefix.size(); ++i) text[i] = kPrefix[i];
    for (std::size_t i = 0; i < home.size(); ++i) text[kPrefix.size() + i] = home[i];
    *child.plan.home_slot = text;
}

Detail detail_of(UserProblem problem) noexcept {
    switch (problem) {
        case UserProblem::no_user:
            return Detail::no_user;
        case UserProblem::no_group:
            return Detail::no_group;
        case UserProblem::no_additional_group:
            return Detail::no_additional_group;
        case UserProblem::too_many_groups:
            return Detail::too_many_groups;
        case UserProblem::none:
            break;
    }
    return Detail::none;
}

// Pipes, and a terminal made for this process, become its own, so that it can reopen them by /proc/self/fd. Devices,
// files and terminals of the host never do.
void own_stdio(const Identity& identity, bool own_terminal) noexcept {
    for (int fd = 0; fd < 3; ++fd) {
        struct statx info;
        if (raw::statx(fd, "", AT_EMPTY_PATH, info) != 0) continue;
        const bool terminal = own_terminal && S_ISCHR(info.stx_mode) && info.stx_rdev_major == kPtySlaveMajor;
        if ((S_ISFIFO(info.stx_mode) || terminal) && info.stx_uid != identity.uid)
            raw::fchownat(fd, "", identity.uid, static_cast<unsigned>(-1), AT_EMPTY_PATH);
    }
}

struct Capabilities {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};

    void set(CapabilitySet held) noexcept {
        for (unsigned i = 0; i < 2; ++i) {
            data[i].permitted = data[i].effective = static_cast<std::uint32_t>(held >> (32U * i));
            data[i].inheritable = 0;
        }
    }
};

void drop_bounding_set(CapabilitySet kept) noexcept {
    for (unsigned capability = 0; capability < 64; ++capability)
        if (!has(kept, capability) && raw::prctl(PR_CAPBSET_DROP, capability) == -EINVAL) return;
}

// Permitted survives the change of ids, so that the filter can still be installed.
int change_ids(const Identity& identity) noexcept {
    long result = raw::prctl(PR_SET_KEEPCAPS, 1);
    if (result == 0) result = raw::call(SYS_setgroups, identity.group_count, identity.groups);
    if (result == 0) result = raw::call(SYS_setresgid, identity.gid, identity.gid, identity.gid);
    if (result == 0) result = raw::call(SYS_setresuid, identity.uid, identity.uid, identity.uid);
    return static_cast<int>(result);
}

int install_filter(const LaunchPlan& plan) noexcept {
    if (plan.seccomp.size == 0) return 0;
    const sock_fprog program{static_cast<unsigned short>(plan.seccomp.size), plan.seccomp.data};
    return static_cast<int>(raw::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program));
}

int check_directory(Child& child) noexcept {
    char path[PATH_MAX];
    const long n = raw::call(SYS_getcwd, path, sizeof path);
    if (n < 0) return static_cast<int>(n);
    return path[0] == '/' ? 0 : child.fail_with(-ENOENT, Detail::outside_root);
}

// In a process group of its own, in the foreground when there is a terminal, as a shell would start it.
void lead_group(bool terminal) noexcept {
    raw::call(SYS_setpgid, 0, 0);
    int group = static_cast<int>(raw::call(SYS_getpid));
    constexpr unsigned long kSetForeground = 0x5410;  // TIOCSPGRP
    if (terminal) raw::ioctl(0, kSetForeground, &group);
}

void set_signal_mask(std::uint64_t mask) noexcept {
    raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

}  // namespace

int set_sysctl(Child& child, const Op& op) noexcept {
    constexpr std::uint64_t kNoXdev = 0x01;
    const int fd = raw::openat2(child.handle(Handle::proc_sys), op.target, O_WRONLY | O_TRUNC, kPlainBeneath | kNoXdev);
    return write_kernel_file(fd, op.source);
}

int loopback_up() noexcept {
    const long fd = raw::call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return static_cast<int>(fd);
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    constexpr unsigned long kSetFlags = 0x8914;  // SIOCSIFFLAGS
    const int result = raw::ioctl(static_cast<int>(fd), kSetFlags, &request);
    raw::close(static_cast<int>(fd));
    return result;
}

// While /proc is still the host's, which no container can have prepared.
int set_oom_score(const Op& op) noexcept {
    return write_kernel_file(raw::openat(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY), op.source);
}

int set_apparmor(Child& child, const Op& op) noexcept {
    int fd = raw::openat(AT_FDCWD, "/proc/self/attr/apparmor/exec", O_WRONLY);
    if (fd == -ENOENT) fd = raw::openat(AT_FDCWD, "/proc/self/attr/exec", O_WRONLY);  // before 5.8
    const int result = write_kernel_file(fd, op.source);
    return result == -ENOENT ? child.fail_with(result, Detail::no_profile) : result;
}

int set_selinux(const Op& op) noexcept {
    return write_kernel_file(raw::openat(AT_FDCWD, "/proc/thread-self/attr/exec", O_WRONLY), op.source);
}

// Best effort, as keys may be missing from the kernel or the quota be used up; the filter forbids keyctl anyway.
int join_session_keyring(const Op& op) noexcept {
    const long ring = raw::call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, op.source);
    // Possessor everything; owner may search, so that an exec can join the same ring.
    constexpr unsigned kPermissions = 0x3f080000;
    if (ring > 0) raw::call(SYS_keyctl, KEYCTL_SETPERM, ring, kPermissions);
    return 0;
}

int resolve_user(Child& child) noexcept {
    std::string_view passwd;
    std::string_view group;
    int result = read_image_file(child, "etc/passwd", passwd);
    if (result == 0) result = read_image_file(child, "etc/group", group);
    if (result < 0) return result;
    std::size_t index = 0;
    const UserProblem problem = look_up_user(child.plan.user, passwd, group, child.identity, index);
    child.value = static_cast<std::int64_t>(index);
    if (problem != UserProblem::none) return child.fail_with(-ENOENT, detail_of(problem));
    set_home(child);
    return 0;
}

int enter_directory(Child& child, const Op& op) noexcept {
    long result = raw::call(SYS_chdir, "/");
    if (result < 0) return static_cast<int>(result);
    const int there = op.flag ? open_or_make(AT_FDCWD, op.target, true)
                              : raw::openat2(AT_FDCWD, op.target[0] == '\0' ? "." : op.target, O_PATH, kInRoot);
    if (there < 0) return there;
    result = raw::call(SYS_fchdir, there);
    raw::close(there);
    return result < 0 ? static_cast<int>(result) : check_directory(child);
}

int become_user(Child& child) noexcept {
    const LaunchPlan& plan = child.plan;
    own_stdio(child.identity, plan.terminal);
    drop_bounding_set(plan.capabilities);
    raw::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
    Capabilities held;
    long result = raw::call(SYS_capget, &held.header, held.data);
    if (result < 0) return static_cast<int>(result);
    result = change_ids(child.identity);
    if (result < 0) return static_cast<int>(result);
    const CapabilitySet permitted = held.data[0].permitted | CapabilitySet{held.data[1].permitted} << 32U;
    held.set(permitted);
    result = raw::call(SYS_capset, &held.header, held.data);
    if (result == 0 && plan.no_new_privileges) result = raw::prctl(PR_SET_NO_NEW_PRIVS, 1);
    if (result == 0) result = install_filter(plan);
    if (result < 0) return static_cast<int>(result);
    held.set(child.identity.uid == 0 ? plan.capabilities & permitted : 0);
    result = raw::call(SYS_capset, &held.header, held.data);
    return result < 0 ? static_cast<int>(result) : check_directory(child);
}

int run(Child& child) noexcept {
    const LaunchPlan& plan = child.plan;
    if (plan.reaper) {
        // In the host's pid namespace it is no process 1, which orphans come to by themselves.
        raw::prctl(PR_SET_CHILD_SUBREAPER, 1);
        set_signal_mask(~std::uint64_t{0});
        const long main = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (main < 0) return static_cast<int>(main);
        if (main > 0) {
            forget_memory(child);
            reap_until(static_cast<int>(main));
        }
        lead_group(plan.terminal);
        set_signal_mask(0);
    }
    Report message;
    message.kind = Report::Kind::about_to_exec;
    report(child, message, -1);
    constexpr unsigned kCloexec = 4;  // CLOSE_RANGE_CLOEXEC
    raw::close_range(3, ~0U, kCloexec);
    long failure = -ENOENT;
    for (const char* path : plan.candidates) {
        const long result = raw::call(SYS_execve, path, plan.argv, plan.envp);
        if (result == -ENOENT && raw::call(SYS_faccessat, AT_FDCWD, path, 0 /* F_OK */) == 0) {
            child.detail = Detail::interpreter_missing;
            return -ENOENT;
        }
        if (result != -ENOENT && result != -ENOTDIR && result != -EACCES) return static_cast<int>(result);
        if (result == -EACCES || !plan.looked_up) failure = result;
    }
    return static_cast<int>(failure);
}

}  // namespace compose::runtime
