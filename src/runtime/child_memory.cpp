#include <csignal>

#include "runtime/child.hpp"
#include "sys/raw.hpp"

// These functions take away the memory under libc and the compiler's own run-time: no instrumentation may touch it
// after.
#define COMPOSE_BARE __attribute__((noinline, no_sanitize("address", "undefined", "thread")))

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

struct Range {
    std::uintptr_t begin, end;
};

// One line of /proc/self/maps: "start-end perms offset device inode path".
struct Mapping {
    Range range;
    bool writable;
    bool file;
};

COMPOSE_BARE std::uintptr_t read_hex(const char*& at) noexcept {
    std::uintptr_t value = 0;
    for (;; ++at) {
        unsigned digit = 0;
        if (*at >= '0' && *at <= '9')
            digit = static_cast<unsigned>(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            digit = static_cast<unsigned>(*at - 'a') + 10;
        else
            return value;
        value = value * 16 + digit;
    }
}

COMPOSE_BARE Mapping read_mapping(const char* line) noexcept {
    Mapping result{};
    result.range.begin = read_hex(line);
    ++line;
    result.range.end = read_hex(line);
    result.writable = line[2] == 'w';
    for (int field = 0; field < 4; ++field) {
        while (*line != ' ' && *line != '\n') ++line;
        while (*line == ' ') ++line;
    }
    result.file = *line != '0';
    return result;
}

// Unmaps `range` but for the parts in `kept`, which are in order and do not overlap.
COMPOSE_BARE void unmap_but(Range range, const Range* kept, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count && range.begin < range.end; ++i) {
        if (kept[i].end <= range.begin || kept[i].begin >= range.end) continue;
        if (kept[i].begin > range.begin) raw::call(SYS_munmap, range.begin, kept[i].begin - range.begin);
        range.begin = kept[i].end;
    }
    if (range.begin < range.end) raw::call(SYS_munmap, range.begin, range.end - range.begin);
}

COMPOSE_BARE void wipe(std::uintptr_t begin, std::uintptr_t end) noexcept {
    for (auto* byte = reinterpret_cast<volatile char*>(begin); byte < reinterpret_cast<volatile char*>(end); ++byte)
        *byte = 0;
}

COMPOSE_BARE void forget_mapping(const Mapping& mapping, const Child& child, const Range* kept,
                                 std::size_t count) noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    if (!mapping.writable || mapping.file) return;
    if (here >= mapping.range.begin && here < mapping.range.end)
        wipe(reinterpret_cast<std::uintptr_t>(child.callers), mapping.range.end);
    else
        unmap_but(mapping.range, kept, count);
}

}  // namespace

COMPOSE_BARE void forget_memory(const Child& child) noexcept {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)child;
#else
    constexpr std::uintptr_t kPage = 4096;
    // The thread's own page stays: a stack protector reads it.
    const auto thread = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer()) & ~(kPage - 1);
    Range kept[2] = {{thread - kPage, thread + 2 * kPage},
                     {reinterpret_cast<std::uintptr_t>(child.setup.arena),
                      reinterpret_cast<std::uintptr_t>(child.setup.arena) + child.setup.arena_size}};
    if (kept[1].begin < kept[0].begin) {
        const Range first = kept[1];
        kept[1] = kept[0];
        kept[0] = first;
    }
    const int fd = raw::openat(AT_FDCWD, "/proc/self/maps", O_RDONLY);
    if (fd < 0) raw::end_process(128);
    char text[4096];
    std::size_t filled = 0;
    for (;;) {
        const long n = raw::read(fd, text + filled, sizeof text - filled);
        if (n <= 0) break;
        filled += static_cast<std::size_t>(n);
        std::size_t line = 0;
        for (std::size_t i = 0; i < filled; ++i) {
            if (text[i] != '\n') continue;
            forget_mapping(read_mapping(text + line), child, kept, 2);
            line = i + 1;
        }
        // A line longer than the buffer can't be: paths there are shorter.
        for (std::size_t i = line; i < filled; ++i) text[i - line] = text[i];
        filled -= line;
    }
    raw::close(fd);
#endif
}

COMPOSE_BARE void reap_until(int main) noexcept {
    raw::close_range(0, ~0U, 0);
    for (;;) {
        std::uint64_t all = ~std::uint64_t{0};
        siginfo_t info;
        const long signal = raw::call(SYS_rt_sigtimedwait, &all, &info, nullptr, sizeof all);
        if (signal > 0 && signal != SIGCHLD) raw::call(SYS_kill, main, signal);
        for (;;) {
            int status = 0;
            constexpr int kNoHang = 1;
            const long pid = raw::call(SYS_wait4, -1, &status, kNoHang, nullptr);
            if (pid <= 0) break;
            if (pid != main) continue;
            const int by_signal = status & 0x7f;
            raw::end_process(by_signal != 0 ? 128 + by_signal : status >> 8 & 0xff);
        }
    }
}

}  // namespace compose::runtime
