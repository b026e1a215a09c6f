// From a host's name to its addresses: /etc/hosts, then the servers of /etc/resolv.conf. The binary is static, so the C
// library's resolver, which loads plug-ins, is not there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "image/interrupt.hpp"
#include "sys/inet.hpp"

namespace compose::image {

struct ResolverFiles {
    std::string hosts = "/etc/hosts";
    std::string resolv = "/etc/resolv.conf";
};

/// Addresses in the order in which they should be tried, at least one. Throws Error that names the host; with
/// `only_elsewhere` also when one of them is this machine's or its local link's.
[[nodiscard]] std::vector<sys::InetAddress> resolve_host(const std::string& host, std::uint16_t port,
                                                         const Interrupt& interrupt, const ResolverFiles& files = {},
                                                         bool only_elsewhere = false);

// The parts, pure.
[[nodiscard]] std::vector<std::string> addresses_in_hosts(std::string_view hosts_text, std::string_view host);
struct ResolvConf {
    std::vector<std::string> servers;
    std::vector<std::string> search;
    unsigned dots = 1;
};
[[nodiscard]] ResolvConf parse_resolv_conf(std::string_view text);
enum class AddressKind : std::uint16_t { v4 = 1, v6 = 28 };
/// Throws Error(invalid) for a name that DNS can't ask for.
[[nodiscard]] std::string dns_question(std::uint16_t id, std::string_view name, AddressKind kind);
struct DnsReply {
    bool matches = false;  // an answer to the question, whatever it says
    bool cut = false;      // there is more than a datagram holds: to be asked for over TCP
    int code = 0;          // 0: fine, 3: no such name
    std::vector<std::string> addresses;
};
/// Never fails: what can't be read is no match.
[[nodiscard]] DnsReply parse_dns_reply(std::string_view packet, std::string_view question, AddressKind kind);

}  // namespace compose::image
