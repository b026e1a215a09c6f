// Who is called what on which network: the pure half of the DNS server.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.hpp"

namespace compose::net {

struct DnsEndpoint {
    std::string network;  // network id
    std::optional<Ipv4> address;
    std::vector<std::string> names;  // service, aliases, container name, short id, hostname; any case
    std::string container_name;      // for reverse lookups: "<container>.<network name>"
    std::string network_name;
    std::optional<Ipv6> address6{};
};

class DnsTable {
public:
    void assign(std::vector<DnsEndpoint> endpoints);
    /// Addresses that `name` (any case, without the final dot; also "name.network") has on any of `networks`, in a
    /// stable order. Empty with known = true when the name exists but has no address (so AAAA gets an empty answer).
    struct Answer {
        bool known = false;
        std::vector<Ipv4> addresses;
        std::vector<Ipv6> addresses6{};
    };
    [[nodiscard]] Answer lookup(std::string_view name, const std::vector<std::string>& networks) const;
    /// "db-1.p_default" for an address on any of `networks`; empty when unknown.
    [[nodiscard]] std::string reverse(const IpAddress& address, const std::vector<std::string>& networks) const;

private:
    // network id -> lower-case name -> addresses
    std::map<std::string, std::map<std::string, std::vector<Ipv4>, std::less<>>, std::less<>> names_;
    std::map<std::string, std::map<std::string, std::vector<Ipv6>, std::less<>>, std::less<>> names6_;
    std::map<std::string, std::map<IpAddress, std::string>, std::less<>> reverse_;
};

}  // namespace compose::net
