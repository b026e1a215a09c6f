#include "sys/socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {
namespace {

constexpr std::size_t kMaxPacket = std::size_t{1} << 20U;
constexpr std::size_t kMaxFds = 8;

// An address for any path length: through the parent directory's descriptor when sun_path is too short.
struct Address {
    sockaddr_un raw{};
    Fd directory;

    explicit Address(const std::string& path) {
        raw.sun_family = AF_UNIX;
        std::string name = path;
        if (name.size() >= sizeof raw.sun_path) {
            const auto slash = path.rfind('/');
            directory = open_file(path.substr(0, slash), O_PATH | O_DIRECTORY);
            name = fmt::format("/proc/self/fd/{}/{}", directory.get(), path.substr(slash + 1));
        }
        if (name.size() >= sizeof raw.sun_path) throw make_error("socket name too long: {}", path);
        std::memcpy(raw.sun_path, name.c_str(), name.size() + 1);
    }
    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&raw); }
};

}  // namespace

SocketPair make_seqpacket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) throw errno_error("create socket pair");
    return {Fd(ends[0]), Fd(ends[1])};
}

Fd listen_unix_stream(const std::string& path) {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw errno_error("create socket");
    const Address address(path);
    if (::bind(fd.get(), address.get(), sizeof address.raw) != 0) throw errno_error("bind {}", path);
    if (::listen(fd.get(), 16) != 0) throw errno_error("listen at {}", path);
    return fd;
}

std::optional<Fd> connect_unix_stream(const std::string& path) {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw errno_error("create socket");
    const Address address(path);
    if (::connect(fd.get(), address.get(), sizeof address.raw) == 0) return fd;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN) return std::nullopt;
    throw errno_error("connect to {}", path);
}

Fd listen_unix(const std::string& path) {
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw errno_error("create socket");
    remove_file(path);
    const Address address(path);
    const mode_t mask = ::umask(0177);
    const int bound = ::bind(fd.get(), address.get(), sizeof address.raw);
    ::umask(mask);
    if (bound != 0) throw errno_error("bind {}", path);
    if (::listen(fd.get(), 128) != 0) throw errno_error("listen at {}", path);
    return fd;
}

std::optional<Fd> connect_unix(const std::string& path) {
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd) throw errno_error("create socket");
    std::optional<Address> address;
    try {
        address.emplace(path);
    } catch (const Error& error) {
        if (error.code() == ENOENT) return std::nullopt;
        throw;
    }
    for (;;) {
        if (::connect(fd.get(), address->get(), sizeof address->raw) == 0) return fd;
        if (errno == EINTR) continue;
        if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
        throw errno_error("connect to {}", path);
    }
}

std::optional<Fd> accept_unix(FdRef listener) {
    Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return std::nullopt;
    return fd;
}

uid_t peer_uid(FdRef socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) throw errno_error("peer credentials");
    return peer.uid;
}

bool send_packet(FdRef socket, std::string_view data, const std::vector<FdRef>& fds) {
    if (data.size() > kMaxPacket || fds.size() > kMaxFds) throw make_error("packet too large");
    iovec part{const_cast<char*>(data.data()), data.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        for (std::size_t i = 0; i < fds.size(); ++i) {
            const int fd = fds[i].get();
            std::memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof fd);
        }
    }
    for (;;) {
        if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL) >= 0) return true;
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return false;
        throw errno_error("send");
    }
}

Received receive_packet(FdRef socket, Packet& out) {
    out.fds.clear();
    // The size first: a packet's buffer should be no larger than the packet.
    char probe = 0;
    ssize_t size = 0;
    // A peer that closed with something unread leaves ECONNRESET once, in front of the packets that it sent before.
    do {
        size = ::recv(socket.get(), &probe, 1, MSG_PEEK | MSG_TRUNC);
    } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size < 0 && errno == EAGAIN) return Received::nothing;
    if (size < 0) throw errno_error("receive");
    if (size == 0) return Received::closed;
    if (static_cast<std::size_t>(size) > kMaxPacket) return Received::closed;
    out.data.resize(static_cast<std::size_t>(size));
    iovec part{out.data.data(), out.data.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    do {
        size = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
    } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size < 0) throw errno_error("receive");
    out.data.resize(static_cast<std::size_t>(size));
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            out.fds.emplace_back(fd);
        }
    }
    return Received::packet;
}

}  // namespace compose::sys
