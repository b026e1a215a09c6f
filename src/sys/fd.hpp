// An owned file descriptor. Every descriptor of the project is made close-on-exec.
#pragma once

#include <utility>

namespace compose::sys {

/// A descriptor that someone else owns; valid only while the owner lives.
class FdRef {
public:
    FdRef() = default;
    explicit FdRef(int fd) noexcept : fd_(fd) {}
    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    operator FdRef() const noexcept { return FdRef(fd_); }  // NOLINT: passing down is what a reference is for
    /// Closes now; never retried on EINTR, since Linux has closed it anyway.
    void reset() noexcept;
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    /// A second descriptor of the same open file, close-on-exec.
    [[nodiscard]] Fd duplicate() const;

private:
    int fd_ = -1;
};

/// As Fd::duplicate(), of one that someone else owns.
[[nodiscard]] Fd duplicate(FdRef fd);

/// A second descriptor of the same open file, close-on-exec.
[[nodiscard]] Fd duplicate(FdRef fd);

struct Pipe {
    Fd read;
    Fd write;
};
[[nodiscard]] Pipe make_pipe();
/// /dev/null, for reading and writing.
[[nodiscard]] Fd open_null();
void set_nonblocking(FdRef fd, bool on);
[[nodiscard]] bool is_open(FdRef fd) noexcept;
/// For descriptors that an exec has left open.
void set_close_on_exec(FdRef fd);
/// Makes sure that 0, 1 and 2 are open (to /dev/null), so that no later descriptor lands there.
void ensure_standard_fds();

}  // namespace compose::sys
