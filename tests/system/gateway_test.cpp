// Containers that the outside reaches at their own addresses: gateway modes and trusted interfaces of bridge networks.
#include <gmock/gmock.h>

#include "support/lan.hpp"

namespace compose::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(GatewayModes, ARoutedNetworkIsReachedAtPublishedPortsOfItsContainers) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    const Neighbour neighbour(box);
    write_sites(box, R"(
  web:
    <<: *site
    ports: ["18080:80"]
    networks: {open: {ipv4_address: 10.61.0.50, ipv6_address: "fd61::50"}}
  twin: {<<: *site, ports: ["18080:80"], networks: {open: {ipv4_address: 10.61.0.51}}}
  far: {image: busybox, command: sleep 1000, networks: [other]}
)",
                R"(networks:
  open:
    enable_ipv6: true
    ipam: {config: [{subnet: 10.61.0.0/24}, {subnet: "fd61::/64"}]}
    driver_opts:
      com.docker.network.bridge.gateway_mode_ipv4: routed
      com.docker.network.bridge.gateway_mode_ipv6: routed
  other: {}
)");
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, ContainsRegex("compose.yaml:[0-9]+:[0-9]+: warning: services.web.ports.0.: .*routed"));
    const auto open_and_shut = [&] {
        EXPECT_TRUE(neighbour.sees_site("10.61.0.50"));
        EXPECT_TRUE(neighbour.sees_site("[fd61::50]"));
        EXPECT_EQ(neighbour.get("10.61.0.50:81"), "");
    };
    open_and_shut();
    EXPECT_EQ(get(box, "10.61.0.50:81"), kHello) << "what the outside does not see is there";
    EXPECT_EQ(neighbour.get("[fd61::50]:81"), "");
    EXPECT_TRUE(neighbour.pings("10.61.0.50"));
    EXPECT_TRUE(neighbour.pings("fd61::50"));
    EXPECT_TRUE(neighbour.sees_site("10.61.0.51")) << "with the same host port, since there is none";
    EXPECT_EQ(box.host({"ss", "-Hltn", "sport = :18080"}).out, "");
    EXPECT_EQ(neighbour.get("10.44.0.1:18080"), "");
    EXPECT_EQ(box.field("demo-web-1", "Ports"), "80/tcp");
    EXPECT_EQ(box.ok({"container", "inspect", "-f", "{{json .NetworkSettings.Ports}}", "demo-web-1"}),
              R"({"80/tcp":[{"HostIp":"0.0.0.0","HostPort":""},{"HostIp":"::","HostPort":""}]})"
              "\n");
    EXPECT_EQ(in(box, "far", "busybox timeout 5 wget -q -O - http://10.61.0.50/"), kHello)
        << "another network, by its routes";
    // All rules lost, and the supervisor too.
    ASSERT_TRUE(box.host({"nft", "flush", "ruleset"}).ok());
    box.ok({"up", "-d"});
    open_and_shut();
    const auto old = box.resident_pid("supervisor");
    ASSERT_TRUE(box.host({"kill", "-9", std::to_string(old)}).ok());
    ASSERT_TRUE(
        eventually([&] { return box.resident_pid("supervisor") > 0 && box.resident_pid("supervisor") != old; }));
    box.ok({"stop", "-t", "0", "web"});
    EXPECT_THAT(rules(box), Not(HasSubstr("10.61.0.50 . tcp")));
    EXPECT_THAT(rules(box), HasSubstr("10.61.0.51 . tcp . 80"));
    box.ok({"start", "web"});
    EXPECT_TRUE(neighbour.sees_site("[fd61::50]"));
}

TEST(GatewayModes, OneFamilyIsRoutedAndTheOtherHasPortsOfTheHost) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    const Neighbour neighbour(box);
    const std::string web = R"(
  web: {<<: *site, ports: ["18080:80"], networks: {open: {ipv4_address: 10.62.0.50, ipv6_address: "fd62::50"}}}
)";
    const std::string network = R"(networks:
  open:
    enable_ipv6: true
    ipam: {config: [{subnet: 10.62.0.0/24}, {subnet: "fd62::/64"}]}
    driver_opts:
      com.docker.network.bridge.gateway_mode_ipv6: routed
)";
    write_sites(box, web, network);
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, Not(HasSubstr("routed"))) << "the port has its use";
    EXPECT_TRUE(neighbour.sees_site("10.44.0.1:18080"));
    EXPECT_TRUE(neighbour.sees_site("[fd62::50]"));
    EXPECT_EQ(get(box, "127.0.0.1:18080"), kHello);
    EXPECT_EQ(get(box, "[::1]:18080"), "");
    EXPECT_EQ(neighbour.get("[fd44::1]:18080"), "");
    EXPECT_EQ(neighbour.get("10.62.0.50"), "");
    EXPECT_EQ(box.field("demo-web-1", "Ports"), "0.0.0.0:18080->80/tcp");
    EXPECT_EQ(box.ok({"port", "web", "80"}), "0.0.0.0:18080\n");
    EXPECT_THAT(box.ok({"network", "inspect", "demo_open"}),
                HasSubstr("\"com.docker.network.bridge.gateway_mode_ipv6\": \"routed\""));
    const auto first = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), first);
    // The other family follows.
    write_sites(box, web, network + "      com.docker.network.bridge.gateway_mode_ipv4: routed\n");
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_TRUE(neighbour.sees_site("10.62.0.50"));
    EXPECT_TRUE(neighbour.sees_site("[fd62::50]"));
    EXPECT_EQ(get(box, "127.0.0.1:18080"), "");
    EXPECT_EQ(box.host({"ss", "-Hltn", "sport = :18080"}).out, "");
}

TEST(GatewayModes, UnprotectedNetworksAndTrustedInterfaces) {
    REQUIRE_ROOT();
    Sandbox box;
    const Neighbour neighbour(box);
    write_sites(box, R"(
  bare: {<<: *site, networks: {bare: {ipv4_address: 10.63.0.50}}}
  near: {<<: *site, ports: ["127.0.0.1:18080:80"], networks: {near: {ipv4_address: 10.64.0.50}}}
  shut: {<<: *site, ports: ["127.0.0.1:18081:80"], networks: {shut: {ipv4_address: 10.65.0.50}}}
)",
                R"(networks:
  bare:
    ipam: {config: [{subnet: 10.63.0.0/24}]}
    driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected}
  near:
    ipam: {config: [{subnet: 10.64.0.0/24}]}
    driver_opts: {com.docker.network.bridge.trusted_host_interfaces: "lan0:lan1"}
  shut:
    ipam: {config: [{subnet: 10.65.0.0/24}]}
    driver_opts: {com.docker.network.bridge.trusted_host_interfaces: "lan1"}
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(neighbour.sees_site("10.63.0.50"));
    EXPECT_EQ(neighbour.get("10.63.0.50:81"), kHello) << "published or not";
    EXPECT_TRUE(neighbour.sees_site("10.64.0.50"));
    EXPECT_EQ(neighbour.get("10.64.0.50:81"), "") << "not published";
    EXPECT_EQ(neighbour.get("10.65.0.50"), "") << "not from that interface";
    EXPECT_EQ(get(box, "127.0.0.1:18080"), kHello);
    EXPECT_EQ(get(box, "127.0.0.1:18081"), kHello);
    EXPECT_THAT(box.ok({"network", "inspect", "demo_near"}),
                HasSubstr("\"com.docker.network.bridge.trusted_host_interfaces\": \"lan0:lan1\""));
}

TEST(GatewayModes, TheSourceOfWhatLeavesMayBeChosen) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    const Neighbour neighbour(box);
    ASSERT_TRUE(
        box.host({"sh", "-c", "ip addr add 198.51.100.7/32 dev lo && ip addr add 2001:db8:7::7/128 dev lo nodad"})
            .ok());
    box.write("compose.yaml", R"(
services: {a: {image: busybox, command: sleep 1000}}
networks:
  default:
    enable_ipv6: true
    driver_opts: {com.docker.network.host_ipv4: 198.51.100.7, com.docker.network.host_ipv6: "2001:db8:7::7"}
)");
    box.ok({"up", "-d"});
    // Who asks is what the neighbour's server says.
    const auto server = neighbour.serve_peers(9000);
    const auto seen_by = [&](const std::string& address) {
        return stripped(box.compose({"exec", "-T", "a", "busybox", "timeout", "3", "nc", address, "9000"}).out);
    };
    EXPECT_TRUE(eventually([&] { return seen_by("10.44.0.254") == "::ffff:198.51.100.7"; })) << seen_by("10.44.0.254");
    EXPECT_TRUE(eventually([&] { return seen_by("fd44::fe") == "2001:db8:7::7"; })) << seen_by("fd44::fe");
    (void)box.host({"kill", server});
}

TEST(GatewayModes, OfAContainerMadeByHand) {
    REQUIRE_ROOT();
    Sandbox box;
    const Neighbour neighbour(box);
    box.write("site/index.html", kHello);
    box.ok({"network", "create", "--subnet", "10.66.0.0/24", "-o", "com.docker.network.bridge.gateway_mode_ipv4=routed",
            "open"});
    const auto made = box.compose({"container",
                                   "run",
                                   "-d",
                                   "--name",
                                   "web",
                                   "--network",
                                   "open",
                                   "--ip",
                                   "10.66.0.50",
                                   "-p",
                                   "18080:80",
                                   "-v",
                                   box.path("site") + ":/site:ro",
                                   "busybox",
                                   "httpd",
                                   "-f",
                                   "-p",
                                   "80",
                                   "-h",
                                   "/site"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_THAT(made.err, HasSubstr("have no effect: the network is routed"));
    EXPECT_TRUE(neighbour.sees_site("10.66.0.50"));
    EXPECT_EQ(get(box, "127.0.0.1:18080"), "");
    // With a network of the usual sort before it, the port is taken while the container runs.
    box.ok({"network", "create", "usual"});
    box.ok({"network", "connect", "--gw-priority", "10", "usual", "web"});
    EXPECT_TRUE(answers(box, "127.0.0.1:18080"));
    EXPECT_EQ(neighbour.get("10.66.0.50"), "");
    box.ok({"network", "disconnect", "usual", "web"});
    EXPECT_TRUE(neighbour.sees_site("10.66.0.50"));
    EXPECT_EQ(get(box, "127.0.0.1:18080"), "");
    box.ok({"container", "rm", "-f", "web"});
    box.ok({"network", "rm", "open", "usual"});
}

}  // namespace
}  // namespace compose::test
