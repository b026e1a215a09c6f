#include "sys/poll.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "sys/error.hpp"

namespace compose::sys {

bool poll(std::span<PollItem> items, std::optional<std::chrono::milliseconds> timeout) {
    std::vector<pollfd> raw(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto& item = items[i];
        const int events = (item.want_read ? POLLIN : 0) | (item.want_write ? POLLOUT : 0);
        // The kernel skips negative descriptors. Hang-ups are reported even when nothing is asked for, so an item that
        // wants nothing is left out, or the loop would spin.
        raw[i].fd = events == 0 ? -1 : item.fd.get();
        raw[i].events = static_cast<short>(events);
    }
    const auto limit = timeout ? static_cast<int>(std::clamp<std::int64_t>(timeout->count(), 0, 1'000'000'000)) : -1;
    const int ready = ::poll(raw.data(), raw.size(), limit);
    if (ready < 0 && errno != EINTR) throw errno_error("poll");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const int events = ready > 0 ? raw[i].revents : 0;
        items[i].readable = items[i].want_read && (events & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0;
        items[i].writable = items[i].want_write && (events & (POLLOUT | POLLERR | POLLNVAL)) != 0;
        items[i].broken = (events & (POLLERR | POLLNVAL)) != 0;
    }
    return ready > 0;
}

std::optional<std::size_t> read_some(FdRef fd, std::span<char> buffer) {
    for (;;) {
        const auto n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return std::nullopt;
        if (errno == EIO) return 0;  // a pty without a slave, or a terminal that hung up
        throw errno_error("read");
    }
}

std::optional<std::size_t> write_some(FdRef fd, std::string_view data) {
    for (;;) {
        const auto n = ::write(fd.get(), data.data(), data.size());
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return std::nullopt;
        throw errno_error("write");
    }
}

std::optional<std::int64_t> regular_file_position(FdRef fd) noexcept {
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    const auto at = ::lseek(fd.get(), 0, SEEK_CUR);
    return at < 0 ? std::nullopt : std::optional<std::int64_t>(at);
}

void widen_pipe(FdRef pipe) noexcept {
    (void)::fcntl(pipe.get(), F_SETPIPE_SZ, 1 << 20);
}

}  // namespace compose::sys
