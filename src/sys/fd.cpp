#include "sys/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace compose::sys {

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void Fd::reset() noexcept {
    if (fd_ < 0) return;
    const int saved = errno;
    ::close(std::exchange(fd_, -1));
    errno = saved;
}

Fd Fd::duplicate() const {
    return sys::duplicate(*this);
}

Fd duplicate(FdRef fd) {
    Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) throw errno_error("duplicate file descriptor {}", fd.get());
    return copy;
}

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw errno_error("create pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

Fd open_null() {
    Fd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!fd) throw errno_error("open /dev/null");
    return fd;
}

void set_nonblocking(FdRef fd, bool on) {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0)
        throw errno_error("set file descriptor flags");
}

bool is_open(FdRef fd) noexcept {
    return ::fcntl(fd.get(), F_GETFD) >= 0;
}

void set_close_on_exec(FdRef fd) {
    if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0) throw errno_error("set file descriptor flags");
}

void ensure_standard_fds() {
    for (;;) {
        const int fd = ::open("/dev/null", O_RDWR);
        if (fd < 0) return;
        if (fd > 2) {
            ::close(fd);
            return;
        }
    }
}

}  // namespace compose::sys
