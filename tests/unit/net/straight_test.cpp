// Networks whose containers the outside reaches at their own addresses.
#include <gtest/gtest.h>

#include "lab.hpp"
#include "net/firewall.hpp"
#include "net/nft_rules.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

using lab::kShort;
using lab::tcp_peer;

PublishedPort open_port(Ipv4 container, int port) {
    return {.protocol = "tcp",
            .host_ip = {},
            .host_port = 0,
            .container = container,
            .container_port = static_cast<std::uint16_t>(port),
            .way = PublishedPort::Way::straight};
}

// Network "a" as `network` says, beside an ordinary network "b"; the outsider's default route leads to the host.
struct Town {
    BridgeSpec a = lab::bridge_spec("cmp-a", "10.88.1.0/24");
    BridgeSpec b = lab::bridge_spec("cmp-b", "10.88.2.0/24");
    Firewall firewall{"compose-test"};
    sys::Fd host = sys::open_own_netns();
    lab::Machine outsider = lab::make_outsider();
    lab::Machine in_a, in_b;
    sys::Fd web, ssh, outside;

    explicit Town(FirewallNetwork network) {
        create_bridge(a);
        create_bridge(b);
        network.bridge = a.name;
        network.subnet = a.subnet;
        firewall.add_network(network);
        firewall.add_network({.bridge = b.name, .subnet = b.subnet});
        in_a = lab::make_container(a, 2);
        in_b = lab::make_container(b, 2);
        web = lab::listen_in(in_a.netns, 80);
        ssh = lab::listen_in(in_a.netns, 22);
        outside = lab::listen_in(outsider.netns, 80);
    }

    [[nodiscard]] std::optional<std::string> web_sees(const lab::Machine& from, int patience = 1000) const {
        return tcp_peer(from.netns, "10.88.1.2", 80, web, patience);
    }
    [[nodiscard]] bool reaches_ssh(const lab::Machine& from) const {
        return tcp_peer(from.netns, "10.88.1.2", 22, ssh, kShort).has_value();
    }
};

bool pings(const lab::Machine& from, const std::string& address) {
    return lab::shell_in(from.netns, "ping -c 1 -W 1 " + address).ok;
}

TEST(Straight, ARoutedNetworkIsReachedAtItsOpenPorts) {
    lab::run([] {
        Town town({.bridge = {}, .subnet = {}, .straight = Straight::open_ports});
        EXPECT_FALSE(town.web_sees(town.outsider, kShort)) << "not open yet";
        // Two host ports that lead to one port of the container are one open port.
        const std::vector ports{open_port(town.in_a.address, 80), open_port(town.in_a.address, 80)};
        town.firewall.publish(ports);
        EXPECT_EQ(town.web_sees(town.outsider), "192.0.2.2") << "with the client's own address";
        EXPECT_EQ(town.web_sees(town.in_b), "10.88.2.2") << "from another network too";
        EXPECT_FALSE(town.reaches_ssh(town.outsider));
        EXPECT_FALSE(town.reaches_ssh(town.in_b));
        EXPECT_TRUE(pings(town.outsider, "10.88.1.2"));
        EXPECT_FALSE(pings(town.outsider, "10.88.2.2"));
        EXPECT_EQ(tcp_peer(town.in_a.netns, "192.0.2.2", 80, town.outside), "10.88.1.2") << "nothing is masqueraded";
        EXPECT_EQ(tcp_peer(town.in_b.netns, "192.0.2.2", 80, town.outside), "192.0.2.1");
        town.firewall.unpublish(ports);
        EXPECT_FALSE(town.web_sees(town.outsider, kShort));
    });
}

TEST(Straight, AnUnprotectedNetworkIsOpenToTheOutside) {
    lab::run([] {
        const Town town({.bridge = {}, .subnet = {}, .straight = Straight::everything});
        EXPECT_EQ(town.web_sees(town.outsider), "192.0.2.2");
        EXPECT_TRUE(town.reaches_ssh(town.outsider));
        EXPECT_TRUE(pings(town.outsider, "10.88.1.2"));
        EXPECT_FALSE(town.web_sees(town.in_b, kShort)) << "networks of ours stay apart";
        EXPECT_EQ(tcp_peer(town.in_a.netns, "192.0.2.2", 80, town.outside), "192.0.2.1") << "it is masqueraded";
    });
}

TEST(Straight, ATrustedInterfaceReachesOpenPorts) {
    lab::run([] {
        Town town({.bridge = {}, .subnet = {}, .trusted = {"wan", "lan7"}});
        town.firewall.publish(std::vector{open_port(town.in_a.address, 80)});
        EXPECT_EQ(town.web_sees(town.outsider), "192.0.2.2");
        EXPECT_FALSE(town.reaches_ssh(town.outsider));
        EXPECT_FALSE(town.web_sees(town.in_b, kShort)) << "which is no trusted interface";
        // An interface of another name is not one of those.
        town.firewall.remove_network({.bridge = town.a.name, .subnet = town.a.subnet});
        town.firewall.add_network({.bridge = town.a.name, .subnet = town.a.subnet, .trusted = {"lan7"}});
        EXPECT_FALSE(town.web_sees(town.outsider, kShort));
    });
}

TEST(Straight, TrafficLeavesUnderAnAddressOfChoice) {
    lab::run([] {
        ASSERT_TRUE(lab::shell("ip addr add 198.51.100.7/32 dev lo").ok);
        const Town town({.bridge = {}, .subnet = {}, .source = Ipv4::parse("198.51.100.7")});
        EXPECT_EQ(tcp_peer(town.in_a.netns, "192.0.2.2", 80, town.outside), "198.51.100.7");
        EXPECT_EQ(tcp_peer(town.in_b.netns, "192.0.2.2", 80, town.outside), "192.0.2.1");
        const sys::Fd on_host = lab::listen_in(town.host, 8000);
        EXPECT_EQ(tcp_peer(town.in_a.netns, "192.0.2.1", 8000, on_host), "10.88.1.2") << "the host sees who it is";
    });
}

TEST(Straight, AnInternalNetworkIsNotReachedWhateverItSays) {
    lab::run([] {
        Town town({.bridge = {}, .subnet = {}, .internal = true, .straight = Straight::open_ports, .trusted = {"wan"}});
        town.firewall.publish(std::vector{open_port(town.in_a.address, 80)});
        EXPECT_FALSE(town.web_sees(town.outsider, kShort));
        EXPECT_FALSE(pings(town.outsider, "10.88.1.2"));
    });
}

}  // namespace
}  // namespace compose::net
