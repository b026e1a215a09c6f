// Subnets as ipam.config describes them: several of a family, their gateways, ranges and reserved addresses.
#include <gmock/gmock.h>

#include "support/lan.hpp"

namespace compose::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Ipam, SubnetsOfAFamilyAreFilledOneAfterTheOther) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  first: {image: busybox, command: sleep 1000, networks: [lan]}
  second: {image: busybox, command: sleep 1000, networks: [lan]}
  fixed: {image: busybox, command: sleep 1000, networks: {lan: {ipv4_address: 10.72.0.77}}}
networks:
  lan:
    ipam:
      config:
        - {subnet: 10.71.0.0/30}
        - {subnet: 10.72.0.0/24, gateway: 10.72.0.254, ip_range: 10.72.0.64/26, aux_addresses: {nas: 10.72.0.64}}
)");
    for (const char* service : {"first", "second", "fixed"}) box.ok({"up", "-d", service});
    EXPECT_THAT(in(box, "first", "ip -4 addr show eth0"), HasSubstr("inet 10.71.0.2/30"));
    EXPECT_THAT(in(box, "first", "ip route"), HasSubstr("default via 10.71.0.1 "));
    EXPECT_THAT(in(box, "second", "ip -4 addr show eth0"), HasSubstr("inet 10.72.0.65/24"));
    EXPECT_THAT(in(box, "second", "ip route"), HasSubstr("default via 10.72.0.254 "));
    EXPECT_THAT(in(box, "fixed", "ip -4 addr show eth0"), HasSubstr("inet 10.72.0.77/24"));
    EXPECT_TRUE(reaches(box, "first", "second"));
    EXPECT_TRUE(reaches(box, "fixed", "first"));
    const auto shown = box.ok({"network", "inspect", "demo_lan"});
    EXPECT_THAT(shown, ContainsRegex("10.71.0.0/30[^}]*10.71.0.1\"[^}]*}[^}]*10.72.0.0/24[^}]*10.72.0.254"));
    EXPECT_THAT(shown, HasSubstr("\"IPRange\": \"10.72.0.64/26\""));
    EXPECT_THAT(shown, ContainsRegex("AuxiliaryAddresses\": .[^}]*\"nas\": \"10.72.0.64\""));
    EXPECT_THAT(shown, HasSubstr("\"IPv4Address\": \"10.72.0.65/24\""));
    EXPECT_THAT(box.ok({"container", "inspect", "demo-second-1"}), HasSubstr("\"Gateway\": \"10.72.0.254\""));
    // None of them is given to another network.
    EXPECT_THAT(box.fails({"network", "create", "--subnet", "10.72.0.0/16", "other"}),
                HasSubstr("overlaps 10.72.0.0/24 of network demo_lan"));
    // A bridge that somebody deleted comes back with all its addresses.
    const auto bridge =
        box.host({"sh", "-c", "ip -4 -o addr | sed -n 's/^[0-9]*: \\(cmp[^ ]*\\) .*10.71.0.1.*/\\1/p'"});
    box.ok({"stop", "-t", "0"});
    ASSERT_TRUE(box.host({"ip", "link", "del", stripped(bridge.out)}).ok());
    box.ok({"up", "-d"});
    EXPECT_TRUE(reaches(box, "first", "second"));
}

TEST(Ipam, RangesReservedAddressesAndGatewaysOfIpv6) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    box.write("compose.yaml", R"(
services:
  one: {image: busybox, command: sleep 1000, networks: [lan]}
  two: {image: busybox, command: sleep 1000, networks: [lan]}
  three: {image: busybox, command: sleep 1000, networks: [lan]}
  fixed: {image: busybox, command: sleep 1000, networks: {lan: {ipv6_address: "fd72::0:99"}}}
networks:
  lan:
    enable_ipv6: true
    ipam:
      config:
        - {subnet: 10.73.0.0/24}
        - subnet: fd71::/64
          gateway: fd71::fe
          ip_range: fd71::10/126
          aux_addresses: {nas: "fd71::10", printer: "fd71:0::12"}
        - {subnet: "fd72::/64"}
)");
    for (const char* service : {"one", "two", "three", "fixed"}) box.ok({"up", "-d", service});
    EXPECT_THAT(in(box, "one", "ip -6 addr show eth0"), HasSubstr("inet6 fd71::11/64"));
    EXPECT_THAT(in(box, "one", "ip -6 route"), HasSubstr("default via fd71::fe "));
    EXPECT_THAT(in(box, "two", "ip -6 addr show eth0"), HasSubstr("inet6 fd71::13/64"));
    EXPECT_THAT(in(box, "three", "ip -6 addr show eth0"), HasSubstr("inet6 fd72::")) << "the range is full";
    EXPECT_THAT(in(box, "three", "ip -6 route"), HasSubstr("default via fd72::1 "));
    EXPECT_THAT(in(box, "fixed", "ip -6 addr show eth0"), HasSubstr("inet6 fd72::99/64"));
    EXPECT_TRUE(eventually([&] { return reaches(box, "one", "fd72::99"); }));
    EXPECT_THAT(box.ok({"network", "inspect", "demo_lan"}), HasSubstr("\"IPRange\": \"fd71::10/126\""));
    EXPECT_THAT(box.ok({"container", "inspect", "demo-fixed-1"}), HasSubstr("\"IPv6Gateway\": \"fd72::1\""));
    EXPECT_THAT(box.fails({"network", "create", "--ipv6", "--subnet", "fd72::/48", "other"}),
                HasSubstr("overlaps fd72::/64 of network demo_lan"));
}

TEST(Ipam, EachFlagGoesToTheSubnetThatItLiesIn) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    box.ok({"network", "create", "--ipv6", "--subnet", "10.74.0.0/24", "--subnet", "fd74::/64", "--subnet",
            "10.75.0.0/24", "--gateway", "fd74::9", "--gateway", "10.75.0.9", "--ip-range", "10.75.0.32/27",
            "--aux-address", "nas=fd74::2", "lan"});
    const auto shown = box.ok({"network", "inspect", "lan"});
    EXPECT_THAT(shown, ContainsRegex("10.74.0.0/24[^}]*10.74.0.1\""));
    EXPECT_THAT(shown, ContainsRegex("10.75.0.0/24[^}]*10.75.0.9\"[^}]*10.75.0.32/27"));
    EXPECT_THAT(shown, ContainsRegex("fd74::/64[^}]*fd74::9\""));
    box.ok({"network", "rm", "lan"});
    EXPECT_THAT(box.fails({"network", "create", "--subnet", "10.74.0.0/24", "--gateway", "10.76.0.1", "lan"}),
                HasSubstr("lies in no --subnet"));
}

TEST(Ipam, WhatCannotBeIsNamed) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto error = [&](const std::string& config) {
        box.write("compose.yaml",
                  "services: {a: {image: busybox, command: sleep 1}}\nnetworks:\n  default:\n    enable_ipv6: true\n"
                  "    ipam: {config: [" +
                      config + "]}\n");
        const auto said = box.fails({"up", "-d"});
        EXPECT_THAT(said, HasSubstr("compose.yaml:3:3: error: networks.default"));
        return said;
    };
    EXPECT_THAT(error("{subnet: 10.1.0.0/16}, {subnet: 10.1.2.0/24}"), HasSubstr("10.1.2.0/24 overlaps 10.1.0.0/16"));
    EXPECT_THAT(error("{subnet: \"fd00::/64\"}, {subnet: \"fd00::/80\"}"), HasSubstr("fd00::/80 overlaps fd00::/64"));
    EXPECT_THAT(error("{subnet: 10.1.0.0/24}, {gateway: 10.2.0.1}"), HasSubstr("need a subnet"));
    EXPECT_THAT(error("{subnet: 10.1.0.0/24}, {subnet: 10.2.0.1/24}"), HasSubstr("write 10.2.0.0/24"));
    EXPECT_THAT(error("{subnet: \"fd00::/64\", ip_range: \"fd01::/80\"}"),
                HasSubstr("ip_range \"fd01::/80\" is not inside of subnet fd00::/64"));
    EXPECT_THAT(error("{subnet: \"fd00::/64\", ip_range: \"fd00::/48\"}"), HasSubstr("is not inside of subnet"));
    EXPECT_THAT(error("{subnet: \"fd00::/64\", aux_addresses: {nas: 10.0.0.1}}"),
                HasSubstr("address nas \"10.0.0.1\" is not inside of subnet fd00::/64"));
    EXPECT_THAT(error("{subnet: \"fd00::/64\", gateway: \"fd01::1\"}"), HasSubstr("is not an address of fd00::/64"));
}

TEST(Ipam, AMacvlanHasSeveralSubnets) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!kernel_has(box, "macvlan")) GTEST_SKIP() << "this kernel has no macvlan";
    const Lan lan(box);
    ASSERT_TRUE(lan.outside("ip addr add 10.45.0.254/24 dev far0").ok());
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, networks: [lan]}
  b: {image: busybox, command: sleep 1000, networks: {lan: {ipv4_address: 10.45.0.9}}}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: lan0}
    ipam:
      config: [{subnet: 10.44.0.0/24, gateway: 10.44.0.254}, {subnet: 10.45.0.0/24, gateway: 10.45.0.254}]
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "a", "ip route"), HasSubstr("default via 10.44.0.254 "));
    EXPECT_THAT(in(box, "b", "ip -4 addr show eth0"), HasSubstr("inet 10.45.0.9/24"));
    EXPECT_THAT(in(box, "b", "ip route"), HasSubstr("default via 10.45.0.254 "));
    EXPECT_TRUE(lan.sees("10.45.0.9"));
}

}  // namespace
}  // namespace compose::test
