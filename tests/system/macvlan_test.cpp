// Networks that stand on an interface of the host's.
#include <gmock/gmock.h>

#include "support/lan.hpp"

namespace compose::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Macvlan, ContainersAreNeighboursOfTheHost) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    box.write("compose.yaml", R"(
services:
  a:
    image: busybox
    command: httpd -f -p 80 -h /var/data
    mac_address: "02:00:00:00:44:07"
    networks: {lan: {ipv4_address: 10.44.0.10, aliases: [front]}}
    ports: ["18080:80"]
  b: {image: busybox, command: sleep 1000, networks: [lan], ports: ["18080:80"]}
networks:
  lan:
    driver: macvlan
    enable_ipv6: true
    driver_opts: {parent: lan0, macvlan_mode: bridge}
    ipam:
      config:
        - {subnet: 10.44.0.0/24, gateway: 10.44.0.254, ip_range: 10.44.0.16/28, aux_addresses: {printer: 10.44.0.16}}
        - {subnet: "fd44::/64", gateway: "fd44::fe"}
)");
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, ContainsRegex("compose.yaml:8:[0-9]+: warning: .*ports are not published"));
    EXPECT_EQ(box.host({"nft", "list", "tables"}).out, "") << "no rules of the host are needed";
    EXPECT_THAT(in(box, "a", "ip addr show eth0"), HasSubstr("10.44.0.10/24"));
    EXPECT_THAT(in(box, "a", "ip link show eth0"), HasSubstr("02:00:00:00:44:07"));
    EXPECT_THAT(in(box, "a", "ip route"), HasSubstr("default via 10.44.0.254 dev eth0"));
    EXPECT_THAT(in(box, "b", "ip addr show eth0"), HasSubstr("10.44.0.17/24")) << "16 is reserved";
    // By name, both ways, and from outside by address.
    EXPECT_TRUE(reaches(box, "b", "a"));
    EXPECT_TRUE(reaches(box, "b", "front"));
    EXPECT_TRUE(reaches(box, "a", "b"));
    EXPECT_EQ(in(box, "b", "wget -qO- http://a/seed"), "from the image\n");
    EXPECT_TRUE(lan.sees("10.44.0.10"));
    EXPECT_TRUE(lan.sees("10.44.0.17"));
    EXPECT_THAT(lan.outside("ip neigh").out, HasSubstr("02:00:00:00:44:07"));
    EXPECT_TRUE(reaches(box, "a", "10.44.0.254"));
    if (box.host({"test", "-e", "/proc/sys/net/ipv6/conf/all"}).ok()) {
        EXPECT_THAT(in(box, "a", "ip -6 route"), HasSubstr("default via fd44::fe"));
        EXPECT_THAT(in(box, "b", "nslookup -type=aaaa a"), HasSubstr("fd44::"));
        EXPECT_TRUE(eventually([&] { return reaches(box, "a", "fd44::fe"); }));
    }
    // The same again changes nothing; a restart gets the same addresses at once.
    const auto id = box.field("demo-a-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-a-1", "ID"), id);
    for (int i = 0; i < 3; ++i) box.ok({"restart", "-t", "0"});
    EXPECT_TRUE(lan.sees("10.44.0.10"));
    box.ok({"up", "-d", "--force-recreate", "-t", "0"});
    EXPECT_TRUE(reaches(box, "b", "a"));
    EXPECT_THAT(box.ok({"network", "ls"}), ContainsRegex("demo_lan +macvlan +local"));
    box.ok({"down", "-t", "0"});
    EXPECT_TRUE(box.host({"ip", "link", "show", "lan0"}).ok()) << "the user's own interface stays";
}

TEST(Macvlan, BesideABridge) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    box.write("compose.yaml", R"(
services:
  out:
    image: busybox
    command: httpd -f -p 80 -h /var/data
    networks: {lan: {gw_priority: 1}, inner: {}}
    ports: ["127.0.0.1:18081:80"]
  home:
    image: busybox
    command: sleep 1000
    networks: {lan: {interface_name: wan0}, inner: {gw_priority: 1}}
    extra_hosts: ["host:host-gateway"]
networks:
  lan: {driver: macvlan, driver_opts: {parent: lan0}, ipam: {config: [{subnet: 10.44.0.0/24, gateway: 10.44.0.254}]}}
  inner: {ipam: {config: [{subnet: 10.45.0.0/24}]}}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "out", "ip route"), HasSubstr("default via 10.44.0.254"));
    EXPECT_THAT(in(box, "home", "ip route"), HasSubstr("default via 10.45.0.1"));
    EXPECT_THAT(in(box, "home", "ip addr show wan0"), HasSubstr("10.44.0."));
    EXPECT_THAT(in(box, "home", "cat /etc/hosts"), HasSubstr("10.45.0.1\thost"));
    EXPECT_TRUE(reaches(box, "out", "home"));
    // The port is published over the bridge.
    EXPECT_TRUE(eventually([&] {
        return box.host({"curl", "-s", "-m", "2", "http://127.0.0.1:18081/seed"}).out == "from the image\n";
    }));
    const auto address = stripped(in(box, "out", "ip -4 addr show | grep -o '10.44.0.[0-9]*/' | tr -d /"));
    EXPECT_TRUE(lan.sees(address));
}

TEST(Macvlan, ByHandAndWhileItRuns) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    box.ok({"network", "create", "-d", "macvlan", "--subnet", "10.44.0.0/24", "--gateway", "10.44.0.254", "-o",
            "parent=lan0", "lan"});
    const auto shown = box.ok({"network", "inspect", "lan"});
    EXPECT_THAT(shown, HasSubstr("\"Driver\": \"macvlan\""));
    EXPECT_THAT(shown, HasSubstr("\"parent\": \"lan0\""));
    EXPECT_THAT(shown, HasSubstr("\"macvlan_mode\": \"bridge\""));
    EXPECT_THAT(box.ok({"network", "ls", "-f", "driver=macvlan", "--format", "{{.Name}}"}), testing::Eq("lan\n"));
    box.ok({"container", "run", "-d", "--name", "one", "--network", "lan", "--ip", "10.44.0.9", "busybox", "sleep",
            "1000"});
    EXPECT_TRUE(lan.sees("10.44.0.9"));
    const auto published = box.compose(
        {"container", "create", "--name", "three", "--network", "lan", "-p", "18090:80", "busybox", "true"});
    EXPECT_EQ(published.exit_code, 0);
    EXPECT_THAT(published.err, HasSubstr("ports are not published"));
    box.ok({"container", "rm", "three"});
    // Nor does the file say what that network is.
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, networks: [lan], ports: ["18090:80"]}
  b: {image: busybox, command: sleep 1000, networks: [lan], ports: ["18090:80"]}
networks: {lan: {external: true}}
)");
    const auto up = box.compose({"up", "-d"});
    EXPECT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, HasSubstr("ports are not published"));
    box.ok({"down", "-t", "0"});
    box.ok({"network", "create", "inner"});
    box.ok({"container", "run", "-d", "--name", "two", "--network", "inner", "busybox", "sleep", "1000"});
    box.ok({"network", "connect", "--ip", "10.44.0.12", "lan", "two"});
    EXPECT_TRUE(lan.sees("10.44.0.12"));
    EXPECT_EQ(box.compose({"exec", "two", "true"}).exit_code, 1) << "not of the project";
    EXPECT_THAT(box.ok({"container", "exec", "two", "ping", "-c", "1", "-W", "2", "one"}), HasSubstr("10.44.0.9"));
    const auto busy = box.fails({"network", "rm", "lan"});
    EXPECT_THAT(busy, HasSubstr("network lan is in use by containers"));
    for (int i = 0; i < 2; ++i) {
        box.ok({"network", "disconnect", "lan", "two"});
        EXPECT_THAT(box.ok({"container", "exec", "two", "ip", "link"}), Not(HasSubstr("eth1")));
        box.ok({"network", "connect", "--ip", "10.44.0.12", "lan", "two"});
    }
    EXPECT_TRUE(lan.sees("10.44.0.12"));
    box.ok({"container", "rm", "-f", "one", "two"});
    box.ok({"network", "rm", "lan", "inner"});
}

TEST(Macvlan, PassthruIsAloneOnItsParent) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    const std::string file = R"(
services:
  a: {image: busybox, command: sleep 1000, networks: [lan]}
  b: {image: busybox, command: sleep 1000, networks: [lan], profiles: [more]}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: lan0, macvlan_mode: passthru}
    ipam: {config: [{subnet: 10.44.0.0/24, gateway: 10.44.0.254}]}
)";
    box.write("compose.yaml", file);
    box.ok({"up", "-d"});
    const auto mac = stripped(box.host({"cat", "/sys/class/net/lan0/address"}).out);
    EXPECT_THAT(in(box, "a", "ip link show eth0"), HasSubstr(mac));
    EXPECT_TRUE(lan.sees("10.44.0.1"));
    for (int i = 0; i < 3; ++i) box.ok({"restart", "-t", "0"});
    EXPECT_TRUE(lan.sees("10.44.0.1"));
    EXPECT_THAT(box.fails({"--profile", "more", "up", "-d"}), HasSubstr("the only one on its parent"));
    EXPECT_THAT(box.fails({"network", "create", "-d", "macvlan", "-o", "parent=lan0", "other"}),
                HasSubstr("already used by network demo_lan"));
    box.ok({"--profile", "more", "down", "-t", "0"});
}

TEST(Macvlan, PrivateModeAndInternal) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, networks: [apart]}
  b: {image: busybox, command: sleep 1000, networks: [apart]}
  c: {image: busybox, command: sleep 1000, networks: [quiet]}
networks:
  apart: {driver: macvlan, driver_opts: {parent: lan0, macvlan_mode: private}, ipam: {config: [{subnet: 10.44.0.0/24}]}}
  quiet: {driver: macvlan, driver_opts: {parent: lan0}, internal: true, ipam: {config: [{subnet: 10.46.0.0/24}]}}
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(lan.sees("10.44.0.2"));
    EXPECT_TRUE(lan.sees("10.44.0.3"));
    EXPECT_FALSE(reaches(box, "a", "b", "1"));
    EXPECT_THAT(in(box, "a", "ip route"), HasSubstr("default via 10.44.0.1"));
    EXPECT_THAT(in(box, "c", "ip route"), Not(HasSubstr("default")));
}

}  // namespace
}  // namespace compose::test
