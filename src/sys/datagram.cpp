#include "sys/datagram.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace compose::sys {
namespace {

constexpr std::size_t kRoom = CMSG_SPACE(sizeof(in6_pktinfo));
static_assert(sizeof(in6_pktinfo) >= sizeof(in_pktinfo));

struct Control {
    alignas(cmsghdr) char bytes[kRoom] = {};
};

InetAddress destination_of(msghdr& header) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof info);
            return InetAddress::ipv4(ntohl(info.ipi_addr.s_addr), 0);
        }
        if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof info);
            sockaddr_in6 raw{};
            raw.sin6_family = AF_INET6;
            raw.sin6_addr = info.ipi6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(&raw.sin6_addr)) raw.sin6_scope_id = info.ipi6_ifindex;
            return InetAddress::from_raw(&raw, sizeof raw);
        }
    }
    return {};
}

template <class Info>
void put(msghdr& header, Control& control, int level, int type, const Info& info) {
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = level;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
}

void put_source(msghdr& header, Control& control, const InetAddress& local) {
    if (local.size() == sizeof(sockaddr_in)) {
        in_pktinfo info{};
        info.ipi_spec_dst = static_cast<const sockaddr_in*>(local.data())->sin_addr;
        put(header, control, IPPROTO_IP, IP_PKTINFO, info);
    } else if (local.size() == sizeof(sockaddr_in6)) {
        const auto* const raw = static_cast<const sockaddr_in6*>(local.data());
        in6_pktinfo info{};
        info.ipi6_addr = raw->sin6_addr;
        info.ipi6_ifindex = raw->sin6_scope_id;
        put(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

}  // namespace

void prepare_datagrams(FdRef socket) {
    const int on = 1;
    const int size = 256 * 1024;
    const bool six = local_address(socket).family() == AF_INET6;
    (void)::setsockopt(socket.get(), six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVPKTINFO : IP_PKTINFO, &on,
                       sizeof on);
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

std::optional<Datagram> receive_datagram(FdRef socket, std::span<char> buffer) {
    sockaddr_in6 peer{};
    Control control;
    iovec part{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_name = &peer;
    header.msg_namelen = sizeof peer;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    const ssize_t size = ::recvmsg(socket.get(), &header, MSG_DONTWAIT);
    if (size < 0 || (header.msg_flags & MSG_TRUNC) != 0) return std::nullopt;
    return Datagram{.data = {buffer.data(), static_cast<std::size_t>(size)},
                    .peer = InetAddress::from_raw(&peer, header.msg_namelen),
                    .local = destination_of(header)};
}

void send_datagram_between(FdRef socket, const InetAddress& local, const InetAddress& peer, std::string_view data) {
    Control control;
    iovec part{const_cast<char*>(data.data()), data.size()};
    msghdr header{};
    header.msg_name = const_cast<void*>(peer.data());
    header.msg_namelen = peer.size();
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    put_source(header, control, local);
    (void)::sendmsg(socket.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace compose::sys
