#include "sys/detach.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {
namespace {

constexpr unsigned kOpenTreeClone = 1;
constexpr std::size_t kMaxPassed = 8;

// In the child: only plain system calls from here to the exec.
[[noreturn]] void become(int image, char* const* argv, const int* passed, std::size_t count) noexcept {
    const int null = ::open("/dev/null", O_RDWR);
    // First above all the numbers that are given out, then down to them: a source may lie on another one's target.
    int sources[kMaxPassed + 2];
    sources[0] = ::fcntl(image, F_DUPFD, 64);
    for (std::size_t i = 0; i < count; ++i) sources[i + 1] = passed[i] < 0 ? -1 : ::fcntl(passed[i], F_DUPFD, 64);
    const int null_copy = ::fcntl(null, F_DUPFD, 64);
    for (int target = 0; target < kOwnImageFd; ++target) ::dup2(null_copy, target);
    for (std::size_t i = 0; i <= count; ++i) {
        const int target = kOwnImageFd + static_cast<int>(i);
        if (sources[i] < 0)
            ::close(target);
        else
            ::dup2(sources[i], target);
    }
    ::syscall(SYS_close_range, kFirstPassedFd + static_cast<unsigned>(count), ~0U, 0U);
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
    // The folder of whoever asked may be gone, and must never be kept busy.
    if (::chdir("/") != 0) ::_exit(126);
    char* const environment[] = {nullptr};
    ::syscall(SYS_execveat, kOwnImageFd, "", argv, environment, AT_EMPTY_PATH);
    ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& text) {
    std::vector<char*> argv;
    argv.reserve(text.size() + 1);
    for (auto& argument : text) argv.push_back(argument.data());
    argv.push_back(nullptr);
    return argv;
}

struct BlockedSignals {
    sigset_t before;
    BlockedSignals() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
};

}  // namespace

Fd open_own_image() {
    Fd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe", kOpenTreeClone | O_CLOEXEC)));
    if (tree) {
        mount_attr attributes{};
        attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
            return tree;
    }
    return open_file("/proc/self/exe", O_RDONLY);
}

void spawn_detached(const OwnStart& start) {
    auto text = start.arguments;
    const auto argv = pointers(text);
    int passed[kMaxPassed];
    const std::size_t count = std::min(start.passed.size(), kMaxPassed);
    for (std::size_t i = 0; i < count; ++i) passed[i] = start.passed[i].get();
    pid_t child = -1;
    {
        const BlockedSignals blocked;
        child = ::fork();
        if (child == 0) {
            ::setsid();
            const pid_t grandchild = ::fork();
            if (grandchild == 0) become(start.image.get(), argv.data(), passed, count);
            ::_exit(grandchild < 0 ? 1 : 0);
        }
    }
    if (child < 0) throw errno_error("fork");
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) throw make_error(ErrorKind::unavailable, "fork: no more processes can be started");
}

PreparedStart::PreparedStart(const std::vector<std::string>& arguments) : text_(arguments), argv_(pointers(text_)) {}

pid_t PreparedStart::spawn(FdRef image, std::span<const int> passed) noexcept {
    const BlockedSignals blocked;
    const pid_t child = ::fork();
    if (child == 0) become(image.get(), argv_.data(), passed.data(), std::min(passed.size(), kMaxPassed));
    return child < 0 ? -errno : child;
}

}  // namespace compose::sys
