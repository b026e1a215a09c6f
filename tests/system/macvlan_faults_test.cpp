// Networks that stand on an interface of the host's: what goes wrong, and what depends on the kernel.
#include <gmock/gmock.h>

#include "support/lan.hpp"

namespace compose::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Macvlan, SurvivesKillsAndAParentThatGoes) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, networks: {lan: {ipv4_address: 10.44.0.10}}}
  b: {image: busybox, command: sleep 1000, networks: [lan]}
networks:
  lan: {driver: macvlan, driver_opts: {parent: lan0}, ipam: {config: [{subnet: 10.44.0.0/24, gateway: 10.44.0.254}]}}
)");
    box.ok({"up", "-d"});
    // The supervisor alone: its successor serves the names on.
    const int first = box.resident_pid("supervisor");
    ASSERT_TRUE(box.host({"kill", "-9", std::to_string(first)}).ok());
    ASSERT_TRUE(eventually([&] {
        const int now = box.resident_pid("supervisor");
        return now != 0 && now != first;
    }));
    EXPECT_TRUE(eventually([&] { return reaches(box, "b", "a"); }));
    box.ok({"restart", "-t", "0", "a"});
    EXPECT_TRUE(lan.sees("10.44.0.10"));
    // Everything at once: nobody is left who could free the address, but the kernel in its own time.
    const auto pid = std::to_string(box.pid_of("demo-a-1"));
    (void)box.host({"kill", "-9", std::to_string(box.resident_pid("keeper")),
                    std::to_string(box.resident_pid("supervisor")), pid});
    ASSERT_TRUE(eventually([&] { return !box.host({"test", "-e", "/proc/" + pid}).ok(); }));
    box.ok({"up", "-d"});
    EXPECT_TRUE(lan.sees("10.44.0.10"));
    EXPECT_TRUE(reaches(box, "b", "a"));
    // The kernel takes the containers' interfaces along with the parent.
    lan.remove();
    EXPECT_TRUE(eventually([&] { return in(box, "a", "ip link").find("eth0") == std::string::npos; }));
    EXPECT_THAT(box.compose({"restart", "-t", "0"}).err,
                HasSubstr("network demo_lan: its parent interface lan0 is gone"));
    EXPECT_THAT(box.fails({"up", "-d"}),
                ContainsRegex("compose.yaml:6:[0-9]+: error: networks.lan.driver_opts: .*interface lan0"));
    box.ok({"down", "-t", "0"});
}

// With a parent of its own where the kernel can make one.
TEST(Macvlan, UpAndDownKilledAnywhereAreFinishedByTheNext) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    box.write("compose.yaml",
              "services: {a: {image: busybox, command: sleep 1000, networks: [lan], scale: 2}}\n"
              "networks: {lan: {driver: macvlan, driver_opts: {parent: " +
                  std::string(kernel_has(box, "vlan") ? "lan0.50" : "lan0") +
                  "}, ipam: {config: [{subnet: 10.44.0.0/24}]}}}\n");
    const auto run_and_kill = [&](const std::string& seconds, std::vector<std::string> words) {
        words.insert(words.begin(), {"timeout", "-s", "KILL", seconds, COMPOSE_BINARY});
        (void)sys::run_command({.argv = words, .environment = box.environment, .working_dir = box.folder()});
    };
    for (const char* seconds : {"0.02", "0.03", "0.05", "0.08", "0.12"}) {
        run_and_kill(seconds, {"up", "-d"});
        run_and_kill(seconds, {"down", "-t", "0"});
    }
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ps().size(), 2U);
    EXPECT_TRUE(reaches(box, "a", "demo-a-2"));
    run_and_kill("0.03", {"down", "-t", "0"});
    box.ok({"down", "-t", "0"});
    EXPECT_FALSE(box.host({"ip", "link", "show", "lan0.50"}).ok());
}

TEST(Macvlan, WhatCannotBeSaysWhy) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    const auto refused = [&](const std::string& network) {
        box.write(
            "compose.yaml",
            "services: {a: {image: busybox, command: sleep 1, networks: [lan]}}\nnetworks:\n  lan: " + network + "\n");
        const auto error = box.fails({"up", "-d"});
        EXPECT_THAT(error, ContainsRegex("compose.yaml:[35]:[0-9]+: error: networks.lan")) << network;
        EXPECT_EQ(box.ok({"network", "ls", "-q", "-f", "type=custom"}), "");
        return error;
    };
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: nosuch0}}"),
                HasSubstr("there is no interface nosuch0 on this host"));
    EXPECT_THAT(refused("\n    driver: macvlan\n    driver_opts:\n      parent: nosuch0"),
                ContainsRegex("compose.yaml:5:[0-9]+: error: networks.lan.driver_opts: there is no interface nosuch0"));
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: nosuch0.50}}"),
                HasSubstr("there is no interface nosuch0 on this host"));
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: lan0.4095}}"),
                HasSubstr("there is no interface lan0.4095 on this host"));
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: lo}}"), HasSubstr("lo is the loopback"));
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: lan0, macvlan_mode: l2}}"),
                HasSubstr("\"l2\" is no macvlan mode"));
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: lan0, com.docker.network.bridge.name: x}}"),
                HasSubstr("option \"com.docker.network.bridge.name\" is not implemented"));
    EXPECT_THAT(refused("{driver: ipvlan, driver_opts: {parent: lan0, ipvlan_mode: l4}}"),
                HasSubstr("\"l4\" is no ipvlan mode"));
    if (!kernel_has(box, "ipvlan")) {
        EXPECT_THAT(refused("{driver: ipvlan, driver_opts: {parent: lan0}}"), HasSubstr("this kernel has no ipvlan"));
    }
    if (!kernel_has(box, "dummy")) {
        EXPECT_THAT(refused("{driver: macvlan}"), HasSubstr("this kernel has no dummy interfaces"));
    }
    if (!kernel_has(box, "vlan")) {
        EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: lan0.50}}"),
                    HasSubstr("this kernel has no vlan interfaces"));
    }
}

// Parents that the engine makes are removed by it, with the last network that stands on them.
TEST(Macvlan, ParentsMadeForIt) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    if (!kernel_has(box, "vlan") || !kernel_has(box, "dummy"))
        GTEST_SKIP() << "this kernel has no VLAN or no dummy interfaces";
    box.ok({"network", "create", "-d", "macvlan", "-o", "parent=lan0.50", "--subnet", "10.50.0.0/25", "one"});
    box.ok({"network", "create", "-d", "macvlan", "-o", "parent=lan0.50", "--subnet", "10.50.0.128/25", "two"});
    EXPECT_THAT(box.host({"ip", "-d", "link", "show", "lan0.50"}).out, HasSubstr("vlan protocol 802.1Q id 50"));
    box.ok({"network", "rm", "one"});
    EXPECT_TRUE(box.host({"ip", "link", "show", "lan0.50"}).ok());
    box.ok({"network", "rm", "two"});
    EXPECT_FALSE(box.host({"ip", "link", "show", "lan0.50"}).ok());
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, networks: [alone]}
  b: {image: busybox, command: sleep 1000, networks: [alone]}
networks: {alone: {driver: macvlan}}
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(reaches(box, "a", "b"));
    EXPECT_THAT(in(box, "a", "ip route"), Not(HasSubstr("default")));
    EXPECT_THAT(box.host({"ip", "-o", "link"}).out, HasSubstr("dm-"));
    box.ok({"down", "-t", "0"});
    EXPECT_THAT(box.host({"ip", "-o", "link"}).out, Not(HasSubstr("dm-")));
}

TEST(Ipvlan, SharesTheMacAddressOfItsParent) {
    REQUIRE_ROOT();
    Sandbox box;
    const Lan lan(box);
    if (!kernel_has(box, "ipvlan")) GTEST_SKIP() << "this kernel has no ipvlan interfaces";
    const auto file = [](const std::string& mode) {
        return R"(
services:
  a: {image: busybox, command: sleep 1000, networks: {lan: {ipv4_address: 10.44.0.10}}}
  b: {image: busybox, command: sleep 1000, networks: [lan]}
networks:
  lan:
    driver: ipvlan
    driver_opts: {parent: lan0, ipvlan_mode: )" +
               mode + R"(}
    ipam: {config: [{subnet: 10.44.0.0/24, gateway: 10.44.0.254}]}
)";
    };
    box.write("compose.yaml", file("l2"));
    box.ok({"up", "-d"});
    const auto mac = stripped(box.host({"cat", "/sys/class/net/lan0/address"}).out);
    EXPECT_THAT(in(box, "a", "ip link show eth0"), HasSubstr(mac));
    EXPECT_TRUE(reaches(box, "b", "a"));
    EXPECT_TRUE(lan.sees("10.44.0.10"));
    box.ok({"down", "-t", "0"});
    for (const char* mode : {"l3", "l3s"}) {
        box.write("compose.yaml", file(mode));
        box.ok({"up", "-d"});
        EXPECT_THAT(in(box, "a", "ip route"), HasSubstr("default dev eth0"));
        EXPECT_TRUE(reaches(box, "b", "a"));
        box.ok({"down", "-t", "0"});
    }
}

}  // namespace
}  // namespace compose::test
