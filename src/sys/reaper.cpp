#include "sys/reaper.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "sys/error.hpp"

namespace compose::sys {

void become_subreaper() {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) throw errno_error("become the reaper of orphans");
}

void hide_from_others() {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) throw errno_error("turn dumps off");
}

void block_all_signals() {
    sigset_t all;
    ::sigfillset(&all);
    if (::pthread_sigmask(SIG_SETMASK, &all, nullptr) != 0) throw errno_error("block signals");
}

Fd child_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) throw errno_error("listen to signals");
    return fd;
}

void drain_signals(FdRef signals) noexcept {
    signalfd_siginfo info[4];
    while (::read(signals.get(), info, sizeof info) > 0) {
    }
}

Reaped reap_any() noexcept {
    Reaped result;
    pid_t pid = 0;
    do {
        pid = ::waitpid(-1, &result.wait_status, WNOHANG | __WALL);
    } while (pid < 0 && errno == EINTR);
    result.pid = pid > 0 ? pid : 0;
    return result;
}

bool has_children() noexcept {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

pid_t parent_pid() noexcept {
    return ::getppid();
}

void wait_for_any(std::span<WaitItem> items, int timeout_ms) noexcept {
    constexpr std::size_t kMax = 8;
    pollfd raw[kMax];
    const std::size_t count = std::min(items.size(), kMax);
    for (std::size_t i = 0; i < count; ++i) {
        raw[i] = {items[i].fd.get(), static_cast<short>(items[i].write ? POLLIN | POLLOUT : POLLIN), 0};
        items[i].readable = items[i].writable = false;
    }
    if (::poll(raw, static_cast<nfds_t>(count), timeout_ms) <= 0) return;
    for (std::size_t i = 0; i < count; ++i) {
        items[i].readable = (raw[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
        items[i].writable = (raw[i].revents & POLLOUT) != 0;
    }
}

void leave(int status) noexcept {
    ::_exit(status);
}

void raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void settle_down() noexcept {
    ::umask(022);
    // A folder that was deleted under the caller, or a mount that someone wants to unmount, must not be held for life.
    if (::chdir("/") != 0) ::umask(022);
}

}  // namespace compose::sys
