// Networks that stand on an interface of the host's. The parent is one end of a veth pair; its other end lies in a
// namespace that plays the network outside.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string in(const Sandbox& box, const std::string& service, const std::string& script) {
    return box.ok({"exec", "-T", service, "sh", "-c", script});
}

bool reaches(const Sandbox& box, const std::string& from, const std::string& to) {
    return box.compose({"exec", "-T", from, "ping", "-c", "1", "-W", "1", to}).exit_code == 0;
}

std::string stripped(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

/// lan0 here, far0 with 10.44.0.254 and fd44::fe in a namespace of its own.
class Lan {
public:
    explicit Lan(const Sandbox& box) : box_(box) {
        (void)box_.host({"sh", "-c", "unshare --net sleep 600 >/dev/null 2>&1 & echo $! > " + box_.path("outside")});
        pid_ = stripped(box_.host({"cat", box_.path("outside")}).out);
        const std::string here = "$(readlink /proc/self/ns/net)";
        EXPECT_TRUE(eventually([&] {
            return box_.host({"sh", "-c", "[ \"$(readlink /proc/" + pid_ + "/ns/net)\" != \"" + here + "\" ]"}).ok();
        }));
        const auto made = box_.host({"sh", "-c",
                                     "ip link add lan0 type veth peer name far0 netns " + pid_ +
                                         " && ip link set lan0 up && nsenter --net=/proc/" + pid_ +
                                         "/ns/net sh -c 'ip addr add 10.44.0.254/24 dev far0 && "
                                         "ip -6 addr add fd44::fe/64 dev far0 nodad; ip link set far0 up'"});
        EXPECT_TRUE(made.ok()) << made.err;
    }
    ~Lan() {
        remove();
        (void)box_.host({"kill", pid_});
    }
    Lan(const Lan&) = delete;
    Lan& operator=(const Lan&) = delete;

    void remove() const { (void)box_.host({"ip", "link", "del", "lan0"}); }
    [[nodiscard]] Result outside(const std::string& script) const {
        return box_.host({"nsenter", "--net=/proc/" + pid_ + "/ns/net", "sh", "-c", script});
    }
    [[nodiscard]] bool sees(const std::string& address) const {
        return eventually([&] { return outside("busybox ping -c 1 -W 1 " + address).ok(); });
    }

private:
    const Sandbox& box_;
    std::string pid_;
};

bool kernel_has(const Sandbox& box, const std::string& kind) {
    // Refused for its parent, or for its kind.
    const auto tried = box.host({"ip", "link", "add", "try0", "link", "lo", "type", kind});
    (void)box.host({"ip", "link", "del", "try0"});
    return tried.err.find("Unknown device type") == std::string::npos;
}

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
services: {a: {image: busybox, command: sleep 1000, networks: [lan], ports: ["18090:80"]}}
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
    EXPECT_FALSE(reaches(box, "a", "b"));
    EXPECT_THAT(in(box, "a", "ip route"), HasSubstr("default via 10.44.0.1"));
    EXPECT_THAT(in(box, "c", "ip route"), Not(HasSubstr("default")));
}

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
    // Everything at once.
    (void)box.host({"kill", "-9", std::to_string(box.resident_pid("keeper")),
                    std::to_string(box.resident_pid("supervisor")), std::to_string(box.pid_of("demo-a-1"))});
    box.ok({"up", "-d"});
    EXPECT_TRUE(lan.sees("10.44.0.10"));
    EXPECT_TRUE(reaches(box, "b", "a"));
    // The kernel takes the containers' interfaces along with the parent.
    lan.remove();
    EXPECT_TRUE(eventually([&] { return in(box, "a", "ip link").find("eth0") == std::string::npos; }));
    EXPECT_THAT(box.compose({"restart", "-t", "0"}).err,
                HasSubstr("network demo_lan: its parent interface lan0 is gone"));
    EXPECT_THAT(box.fails({"up", "-d"}), ContainsRegex("compose.yaml:6:[0-9]+: error: networks.lan: .*interface lan0"));
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
        EXPECT_THAT(error, ContainsRegex("compose.yaml:3:[0-9]+: error: networks.lan")) << network;
        EXPECT_EQ(box.ok({"network", "ls", "-q", "-f", "type=custom"}), "");
        return error;
    };
    EXPECT_THAT(refused("{driver: macvlan, driver_opts: {parent: nosuch0}}"),
                HasSubstr("there is no interface nosuch0 on this host"));
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
