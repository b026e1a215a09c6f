// Hooks that run in the container, just before its program and with no more rights than that.
#include <csignal>

#include "runtime/child.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

constexpr int kNotFound = 127;

std::size_t length(const char* text) noexcept {
    std::size_t n = 0;
    while (text[n] != '\0') ++n;
    return n;
}

// It all fits into the pipe.
void tell_state(int pipe, const StartHook& hook) noexcept {
    char end[16];
    std::size_t at = sizeof end;
    end[--at] = '}';
    long pid = raw::call(SYS_getpid);
    do end[--at] = static_cast<char>('0' + pid % 10);
    while ((pid /= 10) > 0);
    raw::write(pipe, hook.state, length(hook.state));
    raw::write(pipe, end + at, sizeof end - at);
}

[[noreturn]] void become_hook(const StartHook& hook, int input) noexcept {
    constexpr unsigned kCloexec = 4;  // CLOSE_RANGE_CLOEXEC
    raw::dup3(input, 0, 0);
    raw::close_range(3, ~0U, kCloexec);
    raw::call(SYS_execve, hook.path, hook.argv, hook.envp);
    raw::end_process(kNotFound);
}

// False: its time is over.
bool wait_for_end(int process, std::int64_t timeout_s) noexcept {
    pollfd item{process, POLLIN, 0};
    timespec left{timeout_s, 0};
    for (;;) {
        const long ready = raw::call(SYS_ppoll, &item, 1, timeout_s > 0 ? &left : nullptr, nullptr, 0);
        if (ready != -EINTR) return ready != 0;
    }
}

}  // namespace

int run_start_hook(Child& child, const Op& op) noexcept {
    const StartHook& hook = child.plan.start_hooks[static_cast<std::size_t>(op.slot)];
    int ends[2] = {-1, -1};
    long result = raw::call(SYS_pipe2, ends, O_CLOEXEC);
    if (result < 0) return static_cast<int>(result);
    tell_state(ends[1], hook);
    raw::close(ends[1]);
    int process = -1;
    // Not clone3, which the usual filter hides.
    const long pid = raw::call(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &process, 0, 0);
    if (pid == 0) become_hook(hook, ends[0]);
    raw::close(ends[0]);
    if (pid < 0) return static_cast<int>(pid);
    const bool in_time = wait_for_end(process, hook.timeout_s);
    if (!in_time) raw::call(SYS_kill, pid, SIGKILL);
    raw::close(process);
    int status = 0;
    do result = raw::call(SYS_wait4, pid, &status, 0, nullptr);
    while (result == -EINTR);
    if (!in_time) return child.fail_with(-ETIMEDOUT, Detail::hook_slow);
    if (status == 0) return 0;
    const int signal = status & 0x7f;
    child.value = signal != 0 ? 128 + signal : status >> 8 & 0xff;
    return child.fail_with(-ECANCELED, Detail::hook_failed);
}

}  // namespace compose::runtime
