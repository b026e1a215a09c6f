#include "sys/namespaces.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

Fd open_own_netns() {
    return open_file("/proc/thread-self/ns/net", O_RDONLY);
}

std::optional<Fd> open_netns_of(pid_t pid) {
    Fd fd(::open(fmt::format("/proc/{}/ns/net", pid).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    return fd;
}

bool share_namespace(pid_t one, pid_t other, const char* kind) {
    struct stat a {};
    struct stat b {};
    const auto path = [&](pid_t pid) { return fmt::format("/proc/{}/ns/{}", pid, kind); };
    if (::stat(path(one).c_str(), &a) != 0 || ::stat(path(other).c_str(), &b) != 0) return false;
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::optional<Fd> netns_of_socket(FdRef socket) {
    Fd fd(::ioctl(socket.get(), SIOCGSKNS));  // close-on-exec
    if (!fd) return std::nullopt;
    return fd;
}

void run_in_netns(FdRef netns, const std::function<void()>& body) {
    const Fd home = open_own_netns();
    if (::setns(netns.get(), CLONE_NEWNET) != 0) throw errno_error("enter network namespace");
    struct Return {
        const Fd& home;
        // Going on in the wrong namespace would let every later call act on a container: there is no safe way to go on.
        ~Return() {
            if (::setns(home.get(), CLONE_NEWNET) != 0) std::abort();
        }
    } back{home};
    body();
}

}  // namespace compose::sys
