// The sockets stand on ports of their own, so that port 53 stays free for a DNS server that runs in the container.
// Rules inside the container's namespace rewrite the port on the way out and back. No connection tracking is needed for
// that, since both ways pass the output hook of the same namespace: it would cost every packet of the container.
//
//   client:x -> 127.0.0.11:53    output, after everything else     -> 127.0.0.11:ours
//   127.0.0.11:ours -> client:x  output, before anything else      -> from 127.0.0.11:53
#include "base/log.hpp"
#include "net/dns_server.hpp"
#include "sys/error.hpp"
#include "sys/inet.hpp"
#include "sys/namespaces.hpp"
#include "sys/nftables.hpp"

namespace compose::net {
namespace {

using sys::nft::Chain;
using sys::nft::Family;
using sys::nft::Header;
using sys::nft::Hook;
using sys::nft::Meta;
using sys::nft::Rule;

constexpr std::uint32_t kAddress = 0x7f00000b;  // 127.0.0.11
constexpr std::string_view kAddressBytes("\x7f\0\0\x0b", 4);
constexpr std::uint16_t kDnsPort = 53;
const std::string kTable = "compose-dns";

struct Transport {
    std::string_view number;
    unsigned checksum;  // where it stands in the header
};
constexpr Transport kUdp{{"\x11", 1}, 6};
constexpr Transport kTcp{{"\x06", 1}, 16};
constexpr unsigned kSourceAddress = 12;  // in the IPv4 header
constexpr unsigned kDestinationAddress = 16;
constexpr unsigned kSourcePort = 0;  // in the transport header
constexpr unsigned kDestinationPort = 2;

Rule rewrite(const Transport& transport, unsigned address, unsigned port, std::uint16_t from, std::uint16_t to) {
    const char bytes[] = {static_cast<char>(from >> 8U), static_cast<char>(from & 255U)};
    return Rule()
        .payload(Header::network, address, 4)
        .equals(kAddressBytes)
        .meta(Meta::transport_protocol)
        .equals(transport.number)
        .payload(Header::transport, port, 2)
        .equals({bytes, sizeof bytes})
        .set_port(port, to, transport.checksum);
}

// False when the kernel has no nf_tables.
bool redirect(std::uint16_t udp, std::uint16_t tcp) {
    const Chain replies{.name = "replies",
                        .type = "filter",
                        .hook = Hook::output,
                        .priority = -400,
                        .rules = {rewrite(kUdp, kSourceAddress, kSourcePort, udp, kDnsPort),
                                  rewrite(kTcp, kSourceAddress, kSourcePort, tcp, kDnsPort)}};
    const Chain queries{.name = "queries",
                        .type = "filter",
                        .hook = Hook::output,
                        .priority = 400,
                        .rules = {rewrite(kUdp, kDestinationAddress, kDestinationPort, kDnsPort, udp),
                                  rewrite(kTcp, kDestinationAddress, kDestinationPort, kDnsPort, tcp)}};
    auto socket = sys::nft::open_socket();
    for (bool again = false;; again = true) {
        sys::nft::Transaction transaction(Family::ipv4);
        if (again) transaction.delete_table(kTable);
        transaction.add_new_table(kTable);
        transaction.add_chain(kTable, replies);
        transaction.add_chain(kTable, queries);
        const auto failures = transaction.commit(socket);
        if (failures.empty()) return true;
        const int code = failures.front().code;
        // The namespace has had sockets before: the rules of those go.
        if (code == EEXIST && !again) continue;
        if (code == EOPNOTSUPP || code == EINVAL || code == ENOENT) return false;
        throw sys::error_from(code, "redirect 127.0.0.11:53");
    }
}

DnsSockets bind_at(std::uint16_t port) {
    const auto address = sys::InetAddress::ipv4(kAddress, port);
    return {sys::bind_udp(address), sys::listen_tcp(address)};
}

}  // namespace

DnsSockets open_dns_sockets(sys::FdRef netns) {
    DnsSockets sockets;
    in_context([] { return "open the DNS server's sockets in the container"; },
               [&] {
                   sys::run_in_netns(netns, [&] {
                       sockets = bind_at(0);
                       if (redirect(sys::local_port(sockets.udp), sys::local_port(sockets.tcp))) return;
                       log::debug("no nf_tables: the DNS server takes port 53 itself");
                       sockets = bind_at(kDnsPort);
                   });
               });
    return sockets;
}

}  // namespace compose::net
