#include "net/bridge.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "lab.hpp"
#include "sys/file.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

TEST(Bridge, IsMadeCorrectedAndRemoved) {
    lab::run([] {
        BridgeSpec spec = lab::bridge_spec("cmp-a", "10.88.1.0/24");
        EXPECT_FALSE(bridge_exists("cmp-a"));
        create_bridge(spec);
        create_bridge(spec);
        EXPECT_TRUE(bridge_exists("cmp-a"));
        std::string shown = lab::shell("ip addr show cmp-a").text;
        EXPECT_NE(shown.find("inet 10.88.1.1/24 brd 10.88.1.255"), std::string::npos) << shown;
        EXPECT_NE(shown.find("02:42:0a:58:01:01"), std::string::npos) << shown;
        EXPECT_EQ(shown.find("inet6"), std::string::npos) << shown;
        EXPECT_EQ(sys::read_file("/proc/sys/net/ipv4/conf/cmp-a/route_localnet"), "1\n");
        EXPECT_EQ(sys::read_file("/proc/sys/net/ipv4/ip_forward"), "1\n");
        const auto off = sys::read_file_if_exists("/proc/sys/net/ipv6/conf/cmp-a/disable_ipv6");
        EXPECT_EQ(off.value_or("1\n"), "1\n") << "a bridge without IPv6 must not speak it";

        ASSERT_TRUE(
            lab::shell("ip link set cmp-a down && ip addr flush dev cmp-a && ip addr add 10.9.9.9/8 dev cmp-a").ok);
        spec.mtu = 1400;
        create_bridge(spec);
        shown = lab::shell("ip addr show cmp-a").text;
        EXPECT_NE(shown.find("inet 10.88.1.1/24"), std::string::npos) << shown;
        EXPECT_EQ(shown.find("10.9.9.9"), std::string::npos) << shown;
        EXPECT_NE(shown.find("mtu 1400"), std::string::npos) << shown;
        EXPECT_NE(shown.find(",UP"), std::string::npos) << shown;
        remove_bridge("cmp-a");
        remove_bridge("cmp-a");
        EXPECT_FALSE(bridge_exists("cmp-a"));
    });
}

TEST(Bridge, SpeaksIpv6WhereAskedFor) {
    lab::run([] {
        if (!sys::exists("/proc/sys/net/ipv6/conf/all")) GTEST_SKIP() << "this host has no IPv6";
        ASSERT_TRUE(lab::shell("ip link add up0 type veth peer name up1").ok);
        sys::write_file("/proc/sys/net/ipv6/conf/up0/accept_ra", "1");
        BridgeSpec spec = lab::bridge_spec("cmp-a", "10.88.1.0/24");
        spec.ipv6 = {*Ipv6::parse("fd00:9::1"), 64};
        create_bridge(spec);
        create_bridge(spec);
        const std::string shown = lab::shell("ip -6 addr show cmp-a").text;
        EXPECT_NE(shown.find("inet6 fd00:9::1/64"), std::string::npos) << shown;
        EXPECT_EQ(sys::read_file("/proc/sys/net/ipv6/conf/cmp-a/accept_ra"), "0\n");
        EXPECT_EQ(sys::read_file("/proc/sys/net/ipv6/conf/all/forwarding"), "1\n");
        EXPECT_EQ(sys::read_file("/proc/sys/net/ipv6/conf/up0/accept_ra"), "2\n")
            << "the host still hears its own router";
        remove_bridge("cmp-a");
    });
}

TEST(Bridge, LeavesInterfacesAloneThatAreNoBridges) {
    lab::run([] {
        ASSERT_TRUE(lab::shell("ip link add cmp-a type veth peer name cmp-z").ok);
        EXPECT_THROW(create_bridge(lab::bridge_spec("cmp-a", "10.88.1.0/24")), Error);
        EXPECT_THROW(remove_bridge("cmp-a"), Error);
        EXPECT_TRUE(lab::shell("ip link show cmp-a").ok);
        for (const char* bad : {"", "../all", "sixteencharacter", "a b", "a\nb", "."})
            EXPECT_THROW(create_bridge(lab::bridge_spec(bad, "10.88.1.0/24")), Error) << bad;
    });
}

TEST(Bridge, KnowsWhatTheHostRoutes) {
    lab::run([] {
        create_bridge(lab::bridge_spec("cmp-a", "10.88.1.0/24"));
        ASSERT_TRUE(lab::shell("ip route add 10.77.0.0/16 dev cmp-a && ip route add default via 10.88.1.7 && "
                               "ip route add 10.66.0.0/16 dev cmp-a table 77 && ip route add blackhole 10.55.0.0/16")
                        .ok);
        const std::vector<Prefix> routes = host_routes();
        for (const char* wanted : {"10.88.1.0/24", "10.77.0.0/16", "10.66.0.0/16", "10.55.0.0/16", "127.0.0.0/8"})
            EXPECT_EQ(std::count(routes.begin(), routes.end(), *Prefix::parse(wanted)), 1) << wanted;
        EXPECT_EQ(routes.size(), 5U);  // and no default route, which would exclude everything
    });
}

TEST(Endpoint, HasWhatWasAsked) {
    lab::run([] {
        const BridgeSpec bridge = lab::bridge_spec("cmp-a", "10.88.1.0/24");
        create_bridge(bridge);
        const lab::Machine machine = lab::make_container(bridge, 2);
        const std::string links = lab::shell_in(machine.netns, "ip -o link | cut -d: -f2 | cut -d@ -f1").text;
        EXPECT_EQ(links, " lo\n eth0\n");
        const std::string shown = lab::shell_in(machine.netns, "ip addr").text;
        EXPECT_NE(shown.find("2: eth0@"), std::string::npos) << shown;
        EXPECT_NE(shown.find("02:42:0a:58:01:02"), std::string::npos) << shown;
        EXPECT_NE(shown.find("inet 10.88.1.2/24 brd 10.88.1.255"), std::string::npos) << shown;
        EXPECT_NE(shown.find("inet 127.0.0.1/8"), std::string::npos) << shown;
        EXPECT_EQ(shown.find("fe80"), std::string::npos) << shown;  // no IPv6 on it, so no router is believed
        EXPECT_EQ(lab::shell_in(machine.netns, "ip route").text,
                  "default via 10.88.1.1 dev eth0 \n10.88.1.0/24 dev eth0 proto kernel scope link src 10.88.1.2 \n");
    });
}

TEST(Endpoint, TheFirstConnectionNeedsNoSecondTry) {
    lab::run([] {
        const BridgeSpec bridge = lab::bridge_spec("cmp-a", "10.88.1.0/24");
        create_bridge(bridge);
        const sys::Fd host = sys::open_own_netns();
        const sys::Fd listener = lab::listen_in(host, 80);
        for (unsigned i = 2; i < 22; ++i) {
            const lab::Machine machine = lab::make_container(bridge, i);
            // A lost packet would be sent again only after a second.
            EXPECT_TRUE(lab::tcp_peer(machine.netns, "10.88.1.1", 80, listener, 800)) << i;
        }
    });
}

TEST(Endpoint, SeveralAtOnceWithOneDefaultRoute) {
    lab::run([] {
        const BridgeSpec a = lab::bridge_spec("cmp-a", "10.88.1.0/24");
        const BridgeSpec b = lab::bridge_spec("cmp-b", "10.88.2.0/24");
        create_bridge(a);
        create_bridge(b);
        const sys::Fd netns = lab::make_netns();
        std::vector<EndpointSpec> endpoints;
        for (const BridgeSpec* bridge : {&a, &b}) {
            const Ipv4 address{bridge->gateway.value + 1};
            endpoints.push_back({.bridge = bridge->name,
                                 .host_name = bridge->name + "-2",
                                 .container_name = "eth" + std::to_string(endpoints.size()),
                                 .index = static_cast<int>(2 + endpoints.size()),
                                 .address = address,
                                 .prefix_length = 24,
                                 .mac = mac_of(address),
                                 .gateway = {}});
        }
        endpoints[1].gateway = b.gateway;
        connect_endpoints(endpoints, netns);
        const std::string routes = lab::shell_in(netns, "ip route").text;
        EXPECT_NE(routes.find("default via 10.88.2.1 dev eth1"), std::string::npos) << routes;
        EXPECT_TRUE(lab::shell_in(netns, "ping -c1 -W1 10.88.1.1 && ping -c1 -W1 10.88.2.1").ok);
    });
}

TEST(Endpoint, FailureLeavesNothing) {
    lab::run([] {
        const BridgeSpec bridge = lab::bridge_spec("cmp-a", "10.88.1.0/24");
        create_bridge(bridge);
        ASSERT_TRUE(lab::shell("ip link add cmp-taken type veth peer name cmp-z").ok);
        const std::string names = "ip -o link | cut -d: -f2";
        const std::string before = lab::shell(names).text;
        const sys::Fd netns = lab::make_netns();
        EndpointSpec good{.bridge = "cmp-a",
                          .host_name = "cmp-good",
                          .container_name = "eth0",
                          .address = *Ipv4::parse("10.88.1.2"),
                          .prefix_length = 24,
                          .mac = mac_of(*Ipv4::parse("10.88.1.2")),
                          .gateway = {}};
        EndpointSpec taken = good;
        taken.host_name = "cmp-taken";
        taken.container_name = "eth1";
        taken.index = 3;
        EXPECT_THROW(connect_endpoints(std::vector{good, taken}, netns), Error);
        EndpointSpec lost = good;
        lost.bridge = "cmp-none";
        EXPECT_THROW(connect_endpoints(std::vector{lost}, netns), Error);
        EndpointSpec astray = good;
        astray.gateway = Ipv4::parse("203.0.113.1");  // not reachable: the last step fails
        EXPECT_THROW(connect_endpoints(std::vector{astray}, netns), Error);
        EXPECT_EQ(lab::shell(names).text, before);
        connect_endpoints(std::vector{good}, netns);
    });
}

TEST(Endpoint, WithoutAnyOnlyLoopbackIsRaised) {
    lab::run([] {
        const sys::Fd netns = lab::make_netns();
        connect_endpoints({}, netns);
        EXPECT_TRUE(lab::shell_in(netns, "ping -c1 -W1 127.0.0.1").ok);
    });
}

}  // namespace
}  // namespace compose::net
