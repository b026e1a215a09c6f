// System calls without libc: each returns the result or -errno, touches no errno, takes no lock and allocates nothing.
// They are all that may be called between clone and exec, where libc's state is a copy that nobody keeps in order.
#pragma once

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace compose::sys::raw {

inline long call6(long number, long a, long b, long c, long d, long e, long f) noexcept {
#if defined(__x86_64__)
    long result = number;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    register long x5 asm("x5") = f;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "raw system calls are written for x86_64 and aarch64"
#endif
}

template <class T>
inline long word(T value) noexcept {
    if constexpr (std::is_null_pointer_v<T>)
        return 0;
    else if constexpr (std::is_pointer_v<T>)
        return reinterpret_cast<long>(value);
    else
        return static_cast<long>(value);
}

inline long call(long number) noexcept {
    return call6(number, 0, 0, 0, 0, 0, 0);
}
template <class A>
inline long call(long number, A a) noexcept {
    return call6(number, word(a), 0, 0, 0, 0, 0);
}
template <class A, class B>
inline long call(long number, A a, B b) noexcept {
    return call6(number, word(a), word(b), 0, 0, 0, 0);
}
template <class A, class B, class C>
inline long call(long number, A a, B b, C c) noexcept {
    return call6(number, word(a), word(b), word(c), 0, 0, 0);
}
template <class A, class B, class C, class D>
inline long call(long number, A a, B b, C c, D d) noexcept {
    return call6(number, word(a), word(b), word(c), word(d), 0, 0);
}
template <class A, class B, class C, class D, class E>
inline long call(long number, A a, B b, C c, D d, E e) noexcept {
    return call6(number, word(a), word(b), word(c), word(d), word(e), 0);
}
template <class A, class B, class C, class D, class E, class F>
inline long call(long number, A a, B b, C c, D d, E e, F f) noexcept {
    return call6(number, word(a), word(b), word(c), word(d), word(e), word(f));
}

// Numbers are the same on every architecture from 424 on; older build hosts lack the names.
inline constexpr long kMountSetattr = 442;
inline constexpr long kCloseRange = 436;
inline constexpr long kOpenat2 = 437;
inline constexpr long kClone3 = 435;

// --- files ---
inline int openat(int dir, const char* path, int flags, unsigned mode = 0) noexcept {
    return static_cast<int>(call(SYS_openat, dir, path, flags | O_CLOEXEC, mode));
}
inline int openat2(int dir, const char* path, int flags, std::uint64_t resolve, unsigned mode = 0) noexcept {
    const open_how how{static_cast<std::uint64_t>(flags | O_CLOEXEC), mode, resolve};
    for (;;) {
        // A rename somewhere on the host during ".." makes a scoped lookup say EAGAIN: it means try again.
        const long fd = call(kOpenat2, dir, path, &how, sizeof how);
        if (fd != -EAGAIN && fd != -EINTR) return static_cast<int>(fd);
    }
}
inline int close(int fd) noexcept {
    return static_cast<int>(call(SYS_close, fd));
}
inline int close_range(unsigned first, unsigned last, unsigned flags) noexcept {
    return static_cast<int>(call(kCloseRange, first, last, flags));
}
inline long read(int fd, void* data, std::size_t size) noexcept {
    long n = 0;
    do n = call(SYS_read, fd, data, size);
    while (n == -EINTR);
    return n;
}
inline long write(int fd, const void* data, std::size_t size) noexcept {
    long n = 0;
    do n = call(SYS_write, fd, data, size);
    while (n == -EINTR);
    return n;
}
inline int dup3(int from, int to, int flags) noexcept {
    return static_cast<int>(call(SYS_dup3, from, to, flags));
}
inline int statx(int dir, const char* path, int flags, struct statx& out) noexcept {
    constexpr unsigned kMountId = 0x1000;
    return static_cast<int>(call(SYS_statx, dir, path, flags, STATX_BASIC_STATS | kMountId, &out));
}
inline int fstatfs(int fd, struct statfs& out) noexcept {
    return static_cast<int>(call(SYS_fstatfs, fd, &out));
}
inline int mkdirat(int dir, const char* name, unsigned mode) noexcept {
    return static_cast<int>(call(SYS_mkdirat, dir, name, mode));
}
inline int mknodat(int dir, const char* name, unsigned mode, unsigned long device) noexcept {
    return static_cast<int>(call(SYS_mknodat, dir, name, mode, device));
}
inline int symlinkat(const char* text, int dir, const char* name) noexcept {
    return static_cast<int>(call(SYS_symlinkat, text, dir, name));
}
inline long readlinkat(int dir, const char* name, char* out, std::size_t size) noexcept {
    return call(SYS_readlinkat, dir, name, out, size);
}
inline int fchownat(int dir, const char* path, unsigned uid, unsigned gid, int flags) noexcept {
    return static_cast<int>(call(SYS_fchownat, dir, path, uid, gid, flags));
}
inline int ioctl(int fd, unsigned long request, void* argument) noexcept {
    return static_cast<int>(call(SYS_ioctl, fd, request, argument));
}
inline void* map_anonymous(std::size_t size) noexcept {
    constexpr int kReadWrite = 3;
    constexpr int kPrivateAnonymousNoReserve = 0x4022;
    const long address = call(SYS_mmap, 0, size, kReadWrite, kPrivateAnonymousNoReserve, -1, 0);
    return address < 0 && address > -4096 ? nullptr : reinterpret_cast<void*>(address);
}
inline void unmap(void* address, std::size_t size) noexcept {
    call(SYS_munmap, address, size);
}

// --- mounts ---
inline int fsopen(const char* type) noexcept {
    constexpr unsigned kCloexec = 1;
    return static_cast<int>(call(430 /* fsopen */, type, kCloexec));
}
inline int fsconfig(int fs, unsigned command, const char* key, const char* value) noexcept {
    return static_cast<int>(call(431 /* fsconfig */, fs, command, key, value, 0));
}
inline int fsmount(int fs, std::uint64_t attributes) noexcept {
    constexpr unsigned kCloexec = 1;
    return static_cast<int>(call(432 /* fsmount */, fs, kCloexec, attributes));
}
inline int open_tree(int dir, const char* path, unsigned flags) noexcept {
    return static_cast<int>(call(428 /* open_tree */, dir, path, flags | static_cast<unsigned>(O_CLOEXEC)));
}
/// Attaches the detached tree on the directory or file that `target` is.
inline int attach(int tree, int target) noexcept {
    constexpr unsigned kFromEmpty = 0x4;
    constexpr unsigned kToEmpty = 0x40;
    return static_cast<int>(call(429 /* move_mount */, tree, "", target, "", kFromEmpty | kToEmpty));
}
inline int mount_setattr(int dir, const char* path, unsigned flags, std::uint64_t set, std::uint64_t propagation,
                         std::uint64_t cleared = 0) noexcept {
    struct {
        std::uint64_t set, clear, propagation, userns;
    } attributes{set, cleared, propagation, 0};
    return static_cast<int>(call(kMountSetattr, dir, path, flags, &attributes, sizeof attributes));
}

// --- processes ---
inline int prctl(int option, unsigned long a = 0, unsigned long b = 0, unsigned long c = 0,
                 unsigned long d = 0) noexcept {
    return static_cast<int>(call(SYS_prctl, option, a, b, c, d));
}
[[noreturn]] inline void end_process(int code) noexcept {
    for (;;) call(SYS_exit_group, code);
}

}  // namespace compose::sys::raw
