// Network interfaces, addresses and routes over rtnetlink: typed requests, no policy about which and why.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sys/fd.hpp"
#include "sys/netlink.hpp"
#include "sys/stacked_links.hpp"

namespace compose::sys {

struct LinkInfo {
    int index = 0;
    std::string kind;  // "bridge", "veth", empty for hardware
    bool up = false;
    bool loopback = false;
    unsigned mtu = 0;
    int master = 0;
    std::array<std::uint8_t, 6> mac{};
};

struct BridgeRequest {
    std::string name;
    std::array<std::uint8_t, 6> mac{};
    unsigned mtu = 1500;
};

/// A pair whose peer is born inside another namespace.
struct VethRequest {
    std::string name;
    int master = 0;  // index of the bridge
    unsigned mtu = 1500;
    FdRef netns;
    std::string peer_name;
    int peer_index = 0;  // 0: the kernel chooses; it may do so anyway
    std::array<std::uint8_t, 6> peer_mac{};
    bool hairpin = false;   // the bridge may send packets back where they came from
    bool isolated = false;  // the bridge sends it nothing of other isolated ports
};

struct Ipv6Setup {
    std::array<std::uint8_t, 16> address{};
    int prefix_length = 64;
    std::optional<std::array<std::uint8_t, 16>> gateway{};  // all zero: everything is near
};

/// IPv4 in host byte order.
struct InterfaceSetup {
    int index = 0;
    std::optional<std::uint32_t> address{};
    int prefix_length = 0;
    std::vector<std::uint32_t> link_local{};  // more addresses, with a prefix of 16
    std::optional<std::uint32_t> gateway{};   // of the default route through this interface; 0: everything is near
    std::optional<Ipv6Setup> ipv6{};
};

struct Ipv4Network {
    std::uint32_t address = 0;  // host byte order
    int prefix_length = 0;
};

/// One rtnetlink socket; it acts on the network namespace in which the thread was when it was made.
class Links {
public:
    Links();

    [[nodiscard]] std::optional<LinkInfo> find(const std::string& name);
    /// The interfaces of a kind ("bridge"); nothing when they changed all the while.
    [[nodiscard]] std::optional<std::vector<std::string>> names(const std::string& kind);
    void create_bridge(const BridgeRequest& request);  // throws with code EEXIST when the name is taken
    void set_mtu(int index, unsigned mtu);
    void set_up(int index);
    void create_veths(std::span<const VethRequest> requests);
    /// Throws with code EOPNOTSUPP when the kernel has no such kind, EBUSY when the parent serves something else.
    void create_stacked(const StackedRequest& request);
    void create_vlan(const std::string& name, int parent, int id);  // code EEXIST when the name is taken
    void create_dummy(const std::string& name);                     // the same
    /// Does the kernel know that kind of interface ("ipvlan")? A module is loaded for the answer.
    [[nodiscard]] bool knows(const std::string& kind);
    void set_mac(int index, const std::array<std::uint8_t, 6>& mac);
    /// Waits until the carriers that they have by now count: bridges forward, queues take packets.
    void settle(std::span<const std::string> names);
    void remove(const std::string& name);  // no error when it is not there
    /// Into another namespace, under another name; down, and without addresses. Code EEXIST when that name is taken.
    void move(int index, FdRef netns, const std::string& name);
    /// Raises the interfaces with their addresses and default routes (and lo, index 1), all in one message.
    void configure(std::span<const InterfaceSetup> interfaces);

    [[nodiscard]] std::vector<Ipv4Network> addresses();              // of all interfaces
    [[nodiscard]] std::vector<Ipv4Network> addresses_of(int index);  // of one, with the host bits
    void add_address(int index, const Ipv4Network& address);         // no error when it is there
    /// Usable at once: nobody else is asked whether he has it. No error when it is there.
    void add_address6(int index, const Ipv6Setup& address);
    /// In place of those that there are; of each family that `setup` has a gateway for.
    void replace_default_routes(const InterfaceSetup& setup);
    void remove_address(int index, const Ipv4Network& address);
    [[nodiscard]] std::vector<Ipv4Network> routes();  // destinations in all tables, without the default route

private:
    std::vector<Ipv4Network> list_addresses(int index);

    NetlinkSocket socket_;
};

}  // namespace compose::sys
