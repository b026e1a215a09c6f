// The kernel objects of bridge networks: one bridge each, a veth pair for each endpoint; and the endpoints of networks
// that stand on an interface of the host's (parent.hpp). Every create has its remove; removing what is not there is no
// error. The host's interfaces that are not ours are never touched.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/parent.hpp"
#include "sys/fd.hpp"

namespace compose::net {

struct BridgeSpec {
    std::string name;              // of the interface, at most 15 characters
    std::optional<Prefix> subnet;  // nothing: it has no IPv4
    Ipv4 gateway;                  // the bridge's own address
    int mtu = 1500;
    bool has_address = true;  // else the gateway is somebody else's, or nobody's
    struct Address6 {
        Ipv6 address;
        int prefix_length = 64;
    };
    std::optional<Address6> ipv6{};  // with it the host forwards IPv6 too
    struct Address {
        Ipv4 address;
        int prefix_length = 24;
    };
    std::vector<Address> more{};  // gateways of further subnets
    std::vector<Address6> more6{};
};

/// Creates, addresses and raises it; an existing one of that name is corrected to match. Turns on ip_forward and the
/// bridge's route_localnet (for published ports on 127.0.0.1).
void create_bridge(const BridgeSpec& spec);
void remove_bridge(const std::string& name);
[[nodiscard]] bool bridge_exists(const std::string& name);
/// All IPv4 prefixes that this host routes or has addresses in: new subnets must avoid them.
[[nodiscard]] std::vector<Prefix> host_routes();

/// A setting of one interface in /proc/sys/net: "ipv4", "conf", "log_martians", "1".
struct InterfaceSysctl {
    std::string family, group, name, value;
};

struct EndpointSpec {
    std::string bridge;     // interface name of the bridge; unused when `stacked`
    std::string host_name;  // of the host's end, at most 15 characters; the name of nothing when `stacked`
    std::optional<StackedLink> stacked{};  // no veth pair then
    std::string container_name;            // "eth0"
    int index = 2;                         // interface index inside the container (1 is lo)
    std::optional<Ipv4> address;           // nothing: it has no IPv4
    int prefix_length = 0;
    Mac mac{};
    int mtu = 1500;
    std::optional<Ipv6> address6{};
    int prefix_length6 = 64;
    std::optional<Ipv6> gateway6{};
    std::vector<Ipv4> link_local{};  // more addresses, of 169.254.0.0/16
    bool isolated = false;           // reaches the bridge, but none of its other ports
    std::optional<Ipv4> gateway;     // set on the one endpoint that carries the default route; 0: everything is near
    std::vector<InterfaceSysctl> sysctls{};
};

/// Makes the veth pairs with their peers inside `netns`, or the interfaces that stand on a parent, addresses and raises
/// them, raises lo, sets the default route.
/// The thread must be allowed to enter `netns` (see sys::run_in_netns).
void connect_endpoints(std::span<const EndpointSpec> endpoints, sys::FdRef netns);
/// Leads the default route through an endpoint that is connected, if it has a gateway.
void replace_default_routes(const EndpointSpec& endpoint, sys::FdRef netns);

}  // namespace compose::net
