#include "net/firewall.hpp"

#include <chrono>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "lab.hpp"
#include "net/nft_rules.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

using lab::kShort;
using lab::tcp_peer;
using lab::udp_peer;

const std::string kTable = "compose-test";

FirewallNetwork network_of(const BridgeSpec& bridge, bool internal = false) {
    return {.bridge = bridge.name, .subnet = bridge.subnet, .internal = internal};
}

PublishedPort port_of(const std::string& protocol, std::optional<std::string> host, int host_port, IpAddress container,
                      int container_port) {
    return {.protocol = protocol,
            .host_ip = host ? parse_ip(*host) : std::nullopt,
            .host_port = static_cast<std::uint16_t>(host_port),
            .container = container,
            .container_port = static_cast<std::uint16_t>(container_port)};
}

std::string ruleset() {
    return lab::shell("nft list ruleset").text;
}

// Two networks "a" and "b" with one container each, an outsider, and a firewall that knows them.
struct Town {
    BridgeSpec a = lab::bridge_spec("cmp-a", "10.88.1.0/24");
    BridgeSpec b = lab::bridge_spec("cmp-b", "10.88.2.0/24");
    Firewall firewall{kTable};
    sys::Fd host = sys::open_own_netns();
    lab::Machine outsider = lab::make_outsider();
    lab::Machine in_a;
    lab::Machine in_b;

    explicit Town(bool b_is_internal = false) {
        create_bridge(a);
        create_bridge(b);
        firewall.ensure();
        firewall.add_network(network_of(a));
        firewall.add_network(network_of(b, b_is_internal));
        in_a = lab::make_container(a, 2);
        in_b = lab::make_container(b, 2);
    }
};

TEST(Firewall, KeepsNetworksApartAndLetsThemOut) {
    lab::run([] {
        Town town;
        const sys::Fd in_a = lab::listen_in(town.in_a.netns, 80);
        const sys::Fd in_b = lab::listen_in(town.in_b.netns, 80);
        const sys::Fd outside = lab::listen_in(town.outsider.netns, 80);
        const lab::Machine neighbour = lab::make_container(town.a, 3);
        EXPECT_EQ(tcp_peer(neighbour.netns, "10.88.1.2", 80, in_a), "10.88.1.3");
        EXPECT_EQ(tcp_peer(town.host, "10.88.1.2", 80, in_a), "10.88.1.1");
        EXPECT_EQ(tcp_peer(town.in_a.netns, "192.0.2.2", 80, outside), "192.0.2.1");  // under the host's address
        EXPECT_FALSE(tcp_peer(town.in_b.netns, "10.88.1.2", 80, in_a, kShort));
        EXPECT_FALSE(tcp_peer(town.in_a.netns, "10.88.2.2", 80, in_b, kShort));
        EXPECT_FALSE(tcp_peer(town.outsider.netns, "10.88.1.2", 80, in_a, kShort));  // straight at it
    });
}

TEST(Firewall, InternalNetworksReachNothingElse) {
    lab::run([] {
        Town town(true);
        const sys::Fd outside = lab::listen_in(town.outsider.netns, 80);
        const sys::Fd on_host = lab::listen_in(town.host, 8000);
        const sys::Fd in_b = lab::listen_in(town.in_b.netns, 80);
        const lab::Machine neighbour = lab::make_container(town.b, 3);
        EXPECT_TRUE(tcp_peer(neighbour.netns, "10.88.2.2", 80, in_b));
        EXPECT_TRUE(tcp_peer(town.in_b.netns, "10.88.2.1", 8000, on_host));
        EXPECT_FALSE(tcp_peer(town.in_b.netns, "192.0.2.2", 80, outside, kShort));
        EXPECT_FALSE(tcp_peer(town.in_b.netns, "192.0.2.1", 8000, on_host, kShort));
        town.firewall.publish(std::vector{port_of("tcp", std::nullopt, 8080, town.in_b.address, 80)});
        EXPECT_FALSE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, in_b, kShort));
    });
}

TEST(Firewall, PublishedPortsAreReachableFromEverywhere) {
    lab::run([] {
        Town town;
        const sys::Fd web = lab::listen_in(town.in_a.netns, 80);
        const sys::Fd echo = lab::udp_in(town.in_a.netns, 53);
        const std::vector ports{port_of("tcp", std::nullopt, 8080, town.in_a.address, 80),
                                port_of("udp", std::nullopt, 5300, town.in_a.address, 53)};
        town.firewall.publish(ports);
        town.firewall.publish(ports);
        // From outside with the client's own address; from the host by both of its addresses.
        EXPECT_EQ(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, web), "192.0.2.2");
        EXPECT_EQ(udp_peer(town.outsider.netns, "192.0.2.1", 5300, echo), "192.0.2.2");
        EXPECT_EQ(tcp_peer(town.host, "127.0.0.1", 8080, web), "10.88.1.1");
        EXPECT_EQ(udp_peer(town.host, "127.0.0.1", 5300, echo), "10.88.1.1");
        EXPECT_TRUE(tcp_peer(town.host, "192.0.2.1", 8080, web));
        EXPECT_TRUE(udp_peer(town.host, "192.0.2.1", 5300, echo));
        // From its own network, from itself and from another network, through the host's address.
        const lab::Machine neighbour = lab::make_container(town.a, 3);
        EXPECT_TRUE(tcp_peer(neighbour.netns, "192.0.2.1", 8080, web));
        EXPECT_TRUE(tcp_peer(town.in_a.netns, "192.0.2.1", 8080, web));
        EXPECT_EQ(tcp_peer(town.in_b.netns, "192.0.2.1", 8080, web), "10.88.2.2");
        town.firewall.unpublish(ports);
        town.firewall.unpublish(ports);
        EXPECT_FALSE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, web, kShort));
    });
}

TEST(Firewall, APortOfLocalhostStaysThere) {
    lab::run([] {
        Town town;
        const sys::Fd web = lab::listen_in(town.in_a.netns, 80);
        town.firewall.publish(std::vector{port_of("tcp", "127.0.0.1", 8080, town.in_a.address, 80)});
        EXPECT_TRUE(tcp_peer(town.host, "127.0.0.1", 8080, web));
        EXPECT_FALSE(tcp_peer(town.host, "192.0.2.1", 8080, web, kShort));
        EXPECT_FALSE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, web, kShort));
        // A neighbour that sends 127.0.0.1 to us over the wire, and a container that does so over its bridge.
        for (const sys::Fd* netns : {&town.outsider.netns, &town.in_b.netns}) {
            ASSERT_TRUE(lab::shell_in(*netns,
                                      "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet && "
                                      "ip addr del 127.0.0.1/8 dev lo && ip route add 127.0.0.1 via "
                                      "$(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p') dev eth0")
                            .ok);
            EXPECT_FALSE(tcp_peer(*netns, "127.0.0.1", 8080, web, kShort));
        }
        const sys::Fd on_host = lab::listen_in(town.host, 9000);
        EXPECT_FALSE(tcp_peer(town.in_b.netns, "127.0.0.1", 9000, on_host, kShort));
    });
}

TEST(Firewall, APortOfOneAddressIsNotOnTheOthers) {
    lab::run([] {
        Town town;
        EXPECT_TRUE(lab::shell("ip addr add 192.0.2.7/24 dev wan").ok);
        const sys::Fd web = lab::listen_in(town.in_a.netns, 80);
        const sys::Fd other = lab::listen_in(town.in_b.netns, 80);
        town.firewall.publish(std::vector{port_of("tcp", "192.0.2.7", 8080, town.in_a.address, 80),
                                          port_of("tcp", std::nullopt, 8081, town.in_b.address, 80)});
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.7", 8080, web));
        EXPECT_FALSE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, web, kShort));
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.7", 8081, other));
    });
}

TEST(Firewall, LeavesTrafficToOtherHostsAlone) {
    lab::run([] {
        Town town;
        const sys::Fd far = lab::listen_in(town.outsider.netns, 8080);
        const sys::Fd web = lab::listen_in(town.in_a.netns, 80);
        town.firewall.publish(std::vector{port_of("tcp", std::nullopt, 8080, town.in_a.address, 80)});
        EXPECT_TRUE(tcp_peer(town.in_b.netns, "192.0.2.2", 8080, far));  // the same port of another host
        EXPECT_TRUE(tcp_peer(town.host, "192.0.2.2", 8080, far));
    });
}

TEST(Firewall, PublishingAgainElsewhereReplaces) {
    lab::run([] {
        Town town;
        const sys::Fd old_web = lab::listen_in(town.in_a.netns, 80);
        const sys::Fd new_web = lab::listen_in(town.in_b.netns, 80);
        const std::vector old_port{port_of("tcp", std::nullopt, 8080, town.in_a.address, 80)};
        const std::vector new_port{port_of("tcp", std::nullopt, 8080, town.in_b.address, 80)};
        town.firewall.publish(old_port);
        town.firewall.publish(new_port);
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, new_web));
        town.firewall.unpublish(old_port);  // late: the port belongs to another by now
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, new_web));
    });
}

TEST(Firewall, RepublishingMovesAPortAndLeavesTheRest) {
    lab::run([] {
        Town town;
        const sys::Fd new_web = lab::listen_in(town.in_b.netns, 80);
        const auto ports_to = [](const IpAddress& container) {
            std::vector ports{port_of("tcp", std::nullopt, 8080, container, 80),
                              port_of("tcp", "::", 8082, container, 80)};
            ports.back().way = PublishedPort::Way::relay;
            return ports;
        };
        auto before = ports_to(town.in_a.address);
        before.push_back(port_of("tcp", std::nullopt, 8081, town.in_a.address, 80));
        town.firewall.publish(before);
        town.firewall.republish(before, ports_to(town.in_b.address));
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, new_web));
        const std::string rules = ruleset();
        EXPECT_EQ(rules.find("8081"), std::string::npos) << rules;
        EXPECT_NE(rules.find("8082"), std::string::npos) << "it is closed to internal networks all the while";
    });
}

TEST(Firewall, RepairsWhatSomeoneFlushed) {
    lab::run([] {
        Town town;
        const sys::Fd in_a = lab::listen_in(town.in_a.netns, 80);
        const std::vector networks{network_of(town.a), network_of(town.b)};
        const std::vector ports{port_of("tcp", std::nullopt, 8080, town.in_a.address, 80)};
        ASSERT_TRUE(lab::shell("nft flush ruleset").ok);
        EXPECT_TRUE(tcp_peer(town.in_b.netns, "10.88.1.2", 80, in_a));  // the test would see an open door
        town.firewall.synchronize(networks, ports);
        EXPECT_FALSE(tcp_peer(town.in_b.netns, "10.88.1.2", 80, in_a, kShort));
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, in_a));
        const std::string right = ruleset();
        for (const std::string damage :
             {"nft 'flush chain inet compose-test forward; delete chain inet compose-test forward'",
              "nft flush chain inet compose-test forward",
              "nft 'flush chain inet compose-test input; delete chain inet compose-test input; add chain inet "
              "compose-test input'",
              "nft add rule inet compose-test forward drop"}) {
            ASSERT_TRUE(lab::shell(damage).ok) << damage;
            EXPECT_NE(ruleset(), right) << damage;
            town.firewall.ensure();
            EXPECT_EQ(ruleset().size(), right.size()) << damage << ruleset();
            EXPECT_FALSE(tcp_peer(town.in_b.netns, "10.88.1.2", 80, in_a, kShort)) << damage;
            EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, in_a)) << damage;
        }
        ASSERT_TRUE(lab::shell("nft flush ruleset").ok);
        town.firewall.add_network(network_of(town.a));  // makes the table by itself
        town.firewall.publish(ports);
        EXPECT_TRUE(tcp_peer(town.outsider.netns, "192.0.2.1", 8080, in_a));
    });
}

TEST(Firewall, TouchesNoOtherTable) {
    lab::run([] {
        ASSERT_TRUE(
            lab::shell("nft 'add table ip admin; add chain ip admin c { type filter hook forward priority 0; }; "
                       "add rule ip admin c ip saddr 203.0.113.9 drop'")
                .ok);
        const std::string before = ruleset();
        {
            Town town;
            town.firewall.publish(std::vector{port_of("tcp", std::nullopt, 8080, town.in_a.address, 80)});
            town.firewall.synchronize(std::vector{network_of(town.a)}, {});
            town.firewall.remove_network(network_of(town.a));
            town.firewall.remove_network(network_of(town.b));
            town.firewall.remove();
            town.firewall.remove();
        }
        EXPECT_EQ(ruleset(), before);
    });
}

TEST(Firewall, ManyProcessesAtOnceMakeOneTable) {
    lab::run([] {
        Firewall(kTable).ensure();
        const std::string right = ruleset();
        Firewall(kTable).remove();
        std::vector<std::thread> threads;  // they start in this thread's namespace
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([i] {
                Firewall firewall(kTable);
                for (int round = 0; round < 10; ++round) {
                    firewall.ensure();
                    const std::vector ports{port_of("tcp", std::nullopt, 1000 + i, Ipv4{0x0a000000U + 1}, round + 1)};
                    firewall.publish(ports);
                    firewall.unpublish(ports);
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(ruleset(), right);
    });
}

TEST(Firewall, AThousandPortsTakeAMoment) {
    lab::run([] {
        Firewall firewall(kTable);
        firewall.ensure();
        std::vector<PublishedPort> ports;
        for (int i = 0; i < 1000; ++i)
            ports.push_back(port_of(i % 2 != 0 ? "tcp" : "udp", std::nullopt, 10000 + i, Ipv4{0x0a580102}, 80));
        const auto start = std::chrono::steady_clock::now();
        firewall.publish(ports);
        const auto spent = std::chrono::steady_clock::now() - start;
        EXPECT_LT(spent, std::chrono::milliseconds(50));
        EXPECT_NE(ruleset().find("udp . 10998 : 10.88.1.2 . 80"), std::string::npos);
        firewall.unpublish(ports);
        EXPECT_EQ(ruleset().find(" : 10.88.1.2"), std::string::npos);
    });
}

TEST(NftRules, NamesAndProtocolsAreChecked) {
    const FirewallNetwork bad{.bridge = "sixteencharacter", .subnet = {}};
    EXPECT_THROW((void)elements_of(std::span(&bad, 1)), Error);
    const PublishedPort sctp = port_of("sctp", std::nullopt, 1, Ipv4{1}, 1);
    EXPECT_THROW((void)elements_of(std::span(&sctp, 1)), Error);
}

TEST(NftRules, EachPortIsOneElement) {
    const std::vector ports{port_of("tcp", std::nullopt, 8080, *Ipv4::parse("10.0.0.2"), 80),
                            port_of("udp", "0.0.0.0", 53, *Ipv4::parse("10.0.0.3"), 53),
                            port_of("tcp", "127.0.0.1", 443, *Ipv4::parse("10.0.0.2"), 443)};
    const FirewallElements elements = elements_of(ports);
    EXPECT_EQ(elements[0].second.size(), 2U);  // on any address
    ASSERT_EQ(elements[1].second.size(), 1U);
    EXPECT_EQ(elements[1].second[0].key, std::string("\x7f\0\0\x01\x06\0\0\0\x01\xbb\0\0", 12));
    EXPECT_EQ(elements[1].second[0].data, std::string("\x0a\0\0\x02\x01\xbb\0\0", 8));
}

TEST(NftRules, PortsOfIpv6HaveMapsOfTheirOwnAndRelaysASet) {
    const Ipv6 container = *Ipv6::parse("fd00::2");
    std::vector ports{port_of("tcp", "::", 8080, container, 80), port_of("tcp", "2001:db8::1", 8081, container, 80),
                      port_of("tcp", "::", 8082, *Ipv4::parse("10.0.0.2"), 80),
                      port_of("tcp", "::1", 8083, *Ipv4::parse("10.0.0.2"), 80)};
    ports[2].way = ports[3].way = PublishedPort::Way::relay;
    std::map<std::string, std::vector<sys::nft::Element>> sets;
    for (const auto& [name, list] : elements_of(ports)) sets[name] = list;
    EXPECT_TRUE(sets.at("published_any").empty());
    ASSERT_EQ(sets.at("published_any6").size(), 1U);
    EXPECT_EQ(sets.at("published_any6")[0].data.size(), 20U);
    ASSERT_EQ(sets.at("published_addr6").size(), 1U);
    EXPECT_EQ(sets.at("published_addr6")[0].key.size(), 24U);
    ASSERT_EQ(sets.at("relayed").size(), 1U) << "nobody in a container reaches ::1 of the host";
    EXPECT_EQ(sets.at("relayed")[0].key, std::string("\x0a\0\0\0\x06\0\0\0\x1f\x92\0\0", 12));
}

TEST(Netlink, RefusesAttributesThatTheirLengthCannotSay) {
    sys::NetlinkBuffer buffer;
    buffer.begin(1, 0, nullptr, 0);
    buffer.attribute(1, std::string(65'531, 'x'));
    EXPECT_THROW(buffer.attribute(1, std::string(65'532, 'x')), Error);
    const auto nest = buffer.open(2);
    buffer.attribute(1, std::string(40'000, 'x'));
    buffer.attribute(1, std::string(40'000, 'x'));
    EXPECT_THROW(buffer.close(nest), Error);
}

}  // namespace
}  // namespace compose::net
