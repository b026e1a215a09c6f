#include "sys/clone.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/raw.hpp"

namespace compose::sys {
namespace {

// A copy that has this process's memory must not be readable by others for the moment in which it is still alike.
class Undumpable {
public:
    Undumpable() : before_(::prctl(PR_GET_DUMPABLE)) { ::prctl(PR_SET_DUMPABLE, 0); }
    ~Undumpable() {
        if (before_ == 1) ::prctl(PR_SET_DUMPABLE, 1);
    }
    Undumpable(const Undumpable&) = delete;
    Undumpable& operator=(const Undumpable&) = delete;

private:
    int before_;
};

// Children are born in another process's pid namespace while this lives.
class Nursery {
public:
    explicit Nursery(FdRef process) : home_(open_file("/proc/self/ns/pid", O_RDONLY)) {
        if (::setns(process.get(), CLONE_NEWPID) != 0) throw errno_error("enter the other container's pid namespace");
    }
    ~Nursery() {
        // The next child would be born in a container that it has nothing to do with.
        if (::setns(home_.get(), CLONE_NEWPID) != 0) std::abort();
    }
    Nursery(const Nursery&) = delete;
    Nursery& operator=(const Nursery&) = delete;

private:
    Fd home_;
};

}  // namespace

ClonedProcess clone_process(const CloneRequest& request, void (*child)(void*) noexcept, void* argument) {
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = request.namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = static_cast<std::uint64_t>(request.exit_signal);
    if (request.as_sibling) {
        // The kernel takes the exit signal from the caller then, and wants none here.
        arguments.flags |= CLONE_PARENT;
        arguments.exit_signal = 0;
    }
    if (request.cgroup) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<std::uint64_t>(request.cgroup.get());
    }
    const Undumpable undumpable;
    std::optional<Nursery> nursery;
    if (request.born_beside) nursery.emplace(request.born_beside);
    const long pid = raw::call(raw::kClone3, &arguments, sizeof arguments);
    if (pid == 0) {
        child(argument);
        raw::end_process(128);
    }
    if (pid < 0) throw error_from(static_cast<int>(-pid), "start a process");
    return {static_cast<pid_t>(pid), Fd(pidfd)};
}

void reap(FdRef pidfd) noexcept {
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL) != 0 && errno == EINTR) {
    }
}

}  // namespace compose::sys
