// One nftables table for this installation: isolation between networks, NAT to the outside, published ports. Spoken to
// the kernel directly; all changes of a call are one transaction. Other tables are never touched.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/address.hpp"

namespace compose::net {

/// What reaches the containers of a network at their own addresses, when the outside has a route to them.
enum class Straight : std::uint8_t {
    nothing,     // they are reached by ports of this host
    open_ports,  // and ICMP, from other networks too; they leave under their own addresses
    everything,  // from outside, but not from other networks of ours
};

struct FirewallNetwork {
    std::string bridge;
    std::optional<Prefix> subnet;  // nothing: it has no IPv4
    bool internal = false;         // no traffic to or from the outside
    bool masquerade = true;
    std::optional<Prefix6> subnet6{};  // nothing: nothing of IPv6 passes
    bool isolated = false;             // its containers don't reach each other, not even through the host
    Straight straight = Straight::nothing;
    Straight straight6 = Straight::nothing;
    std::optional<Ipv4> source{};  // of the host, under which its traffic leaves; nothing: the kernel chooses
    std::optional<Ipv6> source6{};
    std::vector<Prefix> more{};  // further subnets
    std::vector<Prefix6> more6{};
    std::vector<std::string> trusted{};  // interfaces of the host: what comes from there reaches open ports straight
};

struct PublishedPort {
    enum class Way : std::uint8_t {
        rule,
        relay,     // a PortRelay listens on host_ip, which then is set; it is closed to internal networks
        straight,  // no port of the host leads to it: it is open to those whom the container's network lets in
    };
    std::string protocol;              // tcp or udp
    std::optional<IpAddress> host_ip;  // nothing: all host addresses of the container's family, 127.0.0.1 included
    std::uint16_t host_port = 0;
    IpAddress container;
    std::uint16_t container_port = 0;
    Way way = Way::rule;
    friend auto operator<=>(const PublishedPort&, const PublishedPort&) = default;
};

class Firewall {
public:
    /// `table`: "compose-<installation id>".
    explicit Firewall(std::string table);

    /// Makes the table with its chains and maps if it is missing (also after someone flushed the ruleset).
    /// True when something had to be made: then the elements may be gone too (see synchronize()).
    bool ensure();
    void add_network(const FirewallNetwork& network);      // idempotent
    void remove_network(const FirewallNetwork& network);   // idempotent
    void publish(std::span<const PublishedPort> ports);    // idempotent
    void unpublish(std::span<const PublishedPort> ports);  // idempotent
    /// Both at once: a port of both is never closed in between.
    void republish(std::span<const PublishedPort> gone, std::span<const PublishedPort> come);
    /// What should be there, whole: repairs a flushed or edited table.
    void synchronize(std::span<const FirewallNetwork> networks, std::span<const PublishedPort> ports);
    /// The whole table goes; no error when it is not there.
    void remove();

private:
    std::string table_;
};

}  // namespace compose::net
