#include "sys/fixed_packet.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace compose::sys {

FixedResult send_fixed(FdRef socket, std::span<const std::byte> data, std::span<const int> fds, bool wait) noexcept {
    iovec part{const_cast<std::byte*>(data.data()), data.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFixedFds * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty() && fds.size() <= kMaxFixedFds) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    for (;;) {
        if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) >= 0) return FixedResult::done;
        if (errno == EINTR) continue;
        return errno == EAGAIN ? FixedResult::again : FixedResult::closed;
    }
}

FixedResult receive_fixed(FdRef socket, std::span<std::byte> data, std::span<int, kMaxFixedFds> fds, std::size_t& count,
                          bool wait) noexcept {
    count = 0;
    iovec part{data.data(), data.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFixedFds * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size = 0;
    do {
        size = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) return FixedResult::again;
    for (cmsghdr* header = size >= 0 ? CMSG_FIRSTHDR(&message) : nullptr; header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t present = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < present; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (count < fds.size())
                fds[count++] = fd;
            else
                ::close(fd);
        }
    }
    if (size == static_cast<ssize_t>(data.size())) return FixedResult::done;
    for (std::size_t i = 0; i < count; ++i) ::close(fds[i]);
    count = 0;
    return FixedResult::closed;
}

void close_descriptor(int fd) noexcept {
    ::close(fd);
}

}  // namespace compose::sys
