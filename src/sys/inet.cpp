#include "sys/inet.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "sys/error.hpp"

namespace compose::sys {
namespace {

const sockaddr* pointer_to(const InetAddress& address) {
    return static_cast<const sockaddr*>(address.data());
}

Fd open_socket(int family, int type) {
    return Fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Fd bind_socket(const InetAddress& address, int type) {
    Fd fd = open_socket(address.family(), type);
    if (!fd) throw errno_error("open socket");
    const int on = 1;
    // The address may be there only later: a fresh namespace's loopback interface is still down.
    if (address.family() == AF_INET) (void)::setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    if (type == SOCK_STREAM) (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), pointer_to(address), address.size()) != 0) throw errno_error("bind socket");
    return fd;
}

std::optional<Fd> connect_socket(const InetAddress& peer, int type) {
    Fd fd = open_socket(peer.family(), type);
    if (!fd) return std::nullopt;
    if (::connect(fd.get(), pointer_to(peer), peer.size()) != 0 && errno != EINPROGRESS) return std::nullopt;
    return fd;
}

Transfer transferred(ssize_t size) {
    if (size >= 0) return {Transfer::State::done, static_cast<std::size_t>(size)};
    if (errno == EAGAIN || errno == EINTR) return {Transfer::State::again, 0};
    return {Transfer::State::closed, 0};
}

}  // namespace

InetAddress InetAddress::ipv4(std::uint32_t host_order, std::uint16_t port) {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(port);
    raw.sin_addr.s_addr = htonl(host_order);
    InetAddress address;
    std::memcpy(address.raw_.data(), &raw, sizeof raw);
    address.size_ = sizeof raw;
    return address;
}

InetAddress InetAddress::from_raw(const void* raw, unsigned size) {
    InetAddress address;
    if (size > sizeof address.raw_) return address;
    std::memcpy(address.raw_.data(), raw, size);
    address.size_ = size;
    return address;
}

std::optional<InetAddress> InetAddress::parse(const std::string& text, std::uint16_t port) {
    in_addr v4{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return ipv4(ntohl(v4.s_addr), port);
    sockaddr_in6 raw{};
    const auto percent = text.find('%');
    if (::inet_pton(AF_INET6, text.substr(0, percent).c_str(), &raw.sin6_addr) != 1) return std::nullopt;
    if (percent != std::string::npos) raw.sin6_scope_id = ::if_nametoindex(text.c_str() + percent + 1);
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(port);
    static_assert(sizeof raw == sizeof raw_);
    InetAddress address;
    std::memcpy(address.raw_.data(), &raw, sizeof raw);
    address.size_ = sizeof raw;
    return address;
}

int InetAddress::family() const {
    return static_cast<const sockaddr*>(data())->sa_family;
}

std::string InetAddress::host() const {
    char text[INET6_ADDRSTRLEN] = {};
    const void* address = family() == AF_INET
                              ? static_cast<const void*>(&static_cast<const sockaddr_in*>(data())->sin_addr)
                              : &static_cast<const sockaddr_in6*>(data())->sin6_addr;
    ::inet_ntop(family(), address, text, sizeof text);
    return text;
}

std::uint16_t InetAddress::port() const {
    std::uint16_t port = 0;  // stands at the same place for both families
    std::memcpy(&port, reinterpret_cast<const char*>(data()) + offsetof(sockaddr_in, sin_port), sizeof port);
    return ntohs(port);
}

Fd bind_udp(const InetAddress& address) {
    Fd fd = bind_socket(address, SOCK_DGRAM);
    // Room for bursts: what doesn't fit is lost, and its sender waits for seconds before it tries again.
    const int size = 512 * 1024;  // the kernel doubles it
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return fd;
}

Fd listen_tcp(const InetAddress& address) {
    Fd fd = bind_socket(address, SOCK_STREAM);
    if (::listen(fd.get(), 128) != 0) throw errno_error("listen on socket");
    return fd;
}

InetAddress local_address(FdRef socket) {
    sockaddr_in6 raw{};
    socklen_t size = sizeof raw;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&raw), &size) != 0) throw errno_error("socket's name");
    return InetAddress::from_raw(&raw, size);
}

std::uint16_t local_port(FdRef socket) {
    return local_address(socket).port();
}

std::optional<Fd> connect_udp(const InetAddress& peer) {
    return connect_socket(peer, SOCK_DGRAM);
}
std::optional<Fd> connect_tcp(const InetAddress& peer) {
    return connect_socket(peer, SOCK_STREAM);
}

std::string connection_error(FdRef socket) {
    int code = 0;
    socklen_t size = sizeof code;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &size) != 0) code = errno;
    if (code != 0) return errno_text(code);
    const int on = 1;
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {};
}

int pending_error(FdRef socket) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
}

Accepted accept_tcp(FdRef listener, Fd& out) {
    out = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (out) {
        const int on = 1;
        (void)::setsockopt(out.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return Accepted::connection;
    }
    const bool no_room = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return no_room ? Accepted::exhausted : Accepted::nothing;
}

void start_listening(FdRef socket) {
    const int on = 1;  // for the connections, which get it from here
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::listen(socket.get(), 128) != 0) throw errno_error("listen on socket");
}

void stop_listening(FdRef socket) {
    const int off = 0;  // or another one, that does not listen either, could bind it too
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
    (void)::shutdown(socket.get(), SHUT_RDWR);
}

Transfer read_some(FdRef socket, char* buffer, std::size_t size) {
    const ssize_t got = ::recv(socket.get(), buffer, size, 0);
    if (got == 0) return {Transfer::State::closed, 0};
    return transferred(got);
}

Transfer send_some(FdRef socket, std::string_view data) {
    return transferred(::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL));
}

void end_sending(FdRef socket) {
    (void)::shutdown(socket.get(), SHUT_WR);
}

bool send_datagram(FdRef socket, std::string_view data) {
    return ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(data.size());
}

void send_datagram_to(FdRef socket, const InetAddress& peer, std::string_view data) {
    (void)::sendto(socket.get(), data.data(), data.size(), MSG_NOSIGNAL, pointer_to(peer), peer.size());
}

struct DatagramBatch::Impl {
    std::array<std::array<char, kDatagramSize>, kDatagrams> buffers{};
    std::array<sockaddr_in, kDatagrams> senders{};
    std::array<iovec, kDatagrams> parts{};
    std::array<mmsghdr, kDatagrams> incoming{};
    std::array<std::string, kDatagrams> replies;
    std::array<std::size_t, kDatagrams> targets{};
    std::size_t queued = 0;
};

DatagramBatch::DatagramBatch() : impl_(std::make_unique<Impl>()) {}
DatagramBatch::~DatagramBatch() = default;

std::size_t DatagramBatch::receive(FdRef socket) {
    Impl& impl = *impl_;
    for (std::size_t i = 0; i < kDatagrams; ++i) {
        impl.parts[i] = {impl.buffers[i].data(), kDatagramSize};
        msghdr& header = impl.incoming[i].msg_hdr;
        header = {};
        header.msg_name = &impl.senders[i];
        header.msg_namelen = sizeof impl.senders[i];
        header.msg_iov = &impl.parts[i];
        header.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(socket.get(), impl.incoming.data(), kDatagrams, MSG_DONTWAIT, nullptr);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::string_view DatagramBatch::datagram(std::size_t index) const {
    return {impl_->buffers[index].data(), impl_->incoming[index].msg_len};
}

InetAddress DatagramBatch::sender(std::size_t index) const {
    const sockaddr_in& raw = impl_->senders[index];
    return InetAddress::ipv4(ntohl(raw.sin_addr.s_addr), ntohs(raw.sin_port));
}

void DatagramBatch::reply(std::size_t index, std::string data) {
    impl_->replies[impl_->queued] = std::move(data);
    impl_->targets[impl_->queued++] = index;
}

void DatagramBatch::flush(FdRef socket) {
    Impl& impl = *impl_;
    std::array<iovec, kDatagrams> parts{};
    std::array<mmsghdr, kDatagrams> outgoing{};
    for (std::size_t i = 0; i < impl.queued; ++i) {
        parts[i] = {impl.replies[i].data(), impl.replies[i].size()};
        msghdr& header = outgoing[i].msg_hdr;
        header.msg_name = &impl.senders[impl.targets[i]];
        header.msg_namelen = sizeof(sockaddr_in);
        header.msg_iov = &parts[i];
        header.msg_iovlen = 1;
    }
    // An error belongs to one datagram (its sender may be gone): the others go on.
    for (std::size_t sent = 0; sent < impl.queued;) {
        const int count = ::sendmmsg(socket.get(), outgoing.data() + sent, static_cast<unsigned>(impl.queued - sent),
                                     MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += count > 0 ? static_cast<std::size_t>(count) : 1;
    }
    impl.queued = 0;
}

}  // namespace compose::sys
