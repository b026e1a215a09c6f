// What driver_opts say: of a bridge network, and of one container's place on a network.
#include <gmock/gmock.h>

#include "support/traffic.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(EndpointOptions, SysctlsAndTheNameOfTheInterface) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const std::string& value) {
        box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    networks:
      front:
        gw_priority: 1
        driver_opts:
          com.docker.network.endpoint.ifname: wan0
          com.docker.network.endpoint.sysctls: "net.ipv4.conf.IFNAME.log_martians=)" +
                                      value + R"(, net.ipv4.neigh.IFNAME.gc_stale_time=77"
          com.example.other: "x"
      back: {}
networks: {front: {}, back: {}}
)");
    };
    file("1");
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, ContainsRegex("compose.yaml:12:[0-9]+: warning: .*com.example.other.* is ignored"));
    EXPECT_EQ(in(box, "web", "cat /proc/sys/net/ipv4/conf/wan0/log_martians"), "1\n");
    EXPECT_EQ(in(box, "web", "cat /proc/sys/net/ipv4/neigh/wan0/gc_stale_time"), "77\n");
    EXPECT_EQ(in(box, "web", "cat /proc/sys/net/ipv4/conf/default/log_martians"), "0\n");
    EXPECT_EQ(box.host({"cat", "/proc/sys/net/ipv4/conf/default/log_martians"}).out, "0\n");
    EXPECT_THAT(in(box, "web", "ip route"), HasSubstr("dev wan0"));
    box.ok({"restart", "-t", "0"});
    EXPECT_EQ(in(box, "web", "cat /proc/sys/net/ipv4/conf/wan0/log_martians"), "1\n");
    // The same is no change, another value is one.
    const auto id = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), id);
    file("0");
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_NE(box.field("demo-web-1", "ID"), id);
    EXPECT_EQ(in(box, "web", "cat /proc/sys/net/ipv4/conf/wan0/log_martians"), "0\n");
}

TEST(EndpointOptions, NamesOfTheirOwnLeaveNoGaps) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    networks:
      a: {priority: 9}
      b: {priority: 8, interface_name: web0}
      c: {priority: 7}
      d: {priority: 6, interface_name: eth2}
      e: {priority: 5}
      f: {priority: 4}
networks:
  a: {}
  b: {}
  c: {}
  d: {}
  e: {driver_opts: {com.docker.network.container_iface_prefix: lan}}
  f: {}
)");
    box.ok({"up", "-d"});
    const auto names = [&] { return in(box, "web", "echo $(ls /sys/class/net)"); };
    EXPECT_EQ(names(), "eth0 eth1 eth2 eth3 lan0 lo web0\n");
    box.ok({"network", "create", "more"});
    box.ok({"network", "connect", "more", "demo-web-1"});
    EXPECT_EQ(names(), "eth0 eth1 eth2 eth3 eth4 lan0 lo web0\n");
    box.ok({"network", "disconnect", "demo_c", "demo-web-1"});
    EXPECT_EQ(names(), "eth0 eth2 eth3 eth4 lan0 lo web0\n");
    box.ok({"restart", "-t", "0"});
    EXPECT_EQ(names(), "eth0 eth2 eth3 eth4 lan0 lo web0\n");
    EXPECT_THAT(box.ok({"container", "inspect", "demo-web-1"}),
                Not(HasSubstr("\"com.docker.network.endpoint.ifname\": \"eth3\"")));
    // In the place of a network that gave names of another sort.
    auto file = sys::read_file(box.path("compose.yaml"));
    const std::string option = "driver_opts: {com.docker.network.container_iface_prefix: lan}";
    file.erase(file.find(option), option.size());
    box.write("compose.yaml", file);
    box.ok({"network", "connect", "demo_c", "demo-web-1"});
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_EQ(names(), "eth0 eth1 eth2 eth3 eth4 eth5 lo web0\n");
    box.ok({"down", "-t", "0"});
}

TEST(EndpointOptions, OfRunAndConnect) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string sysctls = "com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.";
    box.ok({"network", "create", "one"});
    box.ok({"network", "create", "two"});
    box.ok({"container", "run", "-d", "--name", "box", "--network",
            "name=one,\"driver-opt=" + sysctls + "log_martians=1,net.ipv4.conf.IFNAME.forwarding=0\"," +
                "driver-opt=com.docker.network.endpoint.ifname=first0",
            "busybox", "sleep", "1000"});
    const auto read = [&](const std::string& path) {
        return box.ok({"container", "exec", "box", "cat", "/proc/sys/net/ipv4/conf/" + path});
    };
    EXPECT_EQ(read("first0/log_martians"), "1\n");
    EXPECT_EQ(read("first0/forwarding"), "0\n");
    box.ok({"network", "connect", "--driver-opt", sysctls + "log_martians=1", "--driver-opt",
            "com.docker.network.endpoint.ifname=second0", "two", "box"});
    EXPECT_EQ(read("second0/log_martians"), "1\n");
    EXPECT_THAT(
        box.ok({"container", "inspect", "-f", "{{json (index .NetworkSettings.Networks \"two\").DriverOpts}}", "box"}),
        HasSubstr("\"com.docker.network.endpoint.ifname\":\"second0\""));
    EXPECT_THAT(box.fails({"network", "connect", "--driver-opt", "some=thing", "two", "box"}), HasSubstr("some=thing"));
    box.ok({"container", "rm", "-f", "box"});
}

TEST(EndpointOptions, WhatIsNotOfTheInterfaceIsRefused) {
    REQUIRE_ROOT();
    Sandbox box;
    for (const char* sysctl :
         {"net.ipv4.ip_forward=1", "net.ipv4.conf.all.log_martians=1", "net.ipv4.conf.eth0.log_martians=1",
          "kernel.conf.x.IFNAME.y=1", "net.ipv4.conf.IFNAME.log_martians", "net.ipv4.conf.IFNAME.log_martians=",
          "net.ipv4.conf.IFNAME.a/../../b=1", "net.core.conf.IFNAME.x=1", "kernel.ipv4.conf.IFNAME.x=1"}) {
        box.write(
            "compose.yaml",
            std::string("services:\n  a:\n    image: busybox\n    command: sleep 1\n    networks:\n      default:\n"
                        "        driver_opts: {com.docker.network.endpoint.sysctls: \"") +
                sysctl + "\"}\n");
        EXPECT_THAT(
            box.fails({"up", "-d"}),
            testing::AllOf(ContainsRegex("compose.yaml:6:[0-9]+: error: services.a.networks.default.driver_opts"),
                           HasSubstr("is no sysctl of an interface")))
            << sysctl;
    }
    box.write("compose.yaml", R"(
services:
  a:
    image: busybox
    command: sleep 1000
    networks:
      default:
        interface_name: one0
        driver_opts: {com.docker.network.endpoint.ifname: two0}
)");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("interface_name is \"one0\""));
    // The kernel has the last word, and nothing runs.
    box.write("compose.yaml", R"(
services:
  a:
    image: busybox
    command: sleep 1000
    networks: {default: {driver_opts: {com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.nosuch=1}}}
)");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("/proc/sys/net/ipv4/conf/eth0/nosuch"));
    EXPECT_EQ(box.pid_of("demo-a-1"), 0);
}

TEST(BridgeOptions, WithoutAnAddressAndWithNamesOfTheUsers) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, networks: [bare, alone]}
  b: {image: busybox, command: sleep 1000, networks: [alone]}
networks:
  bare:
    ipam: {config: [{subnet: 10.71.0.0/24, gateway: 10.71.0.254}]}
    driver_opts:
      com.docker.network.bridge.name: bare0
      com.docker.network.bridge.inhibit_ipv4: "true"
      com.docker.network.bridge.default_bridge: "false"
      com.docker.network.container_iface_prefix: lan
  alone:
    internal: true
    enable_ipv6: true
    driver_opts:
      com.docker.network.bridge.name: alone0
      com.docker.network.bridge.gateway_mode_ipv4: isolated
      com.docker.network.bridge.gateway_mode_ipv6: isolated
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(box.host({"ip", "addr", "show", "bare0"}).out, Not(HasSubstr("inet ")));
    EXPECT_THAT(box.host({"ip", "addr", "show", "alone0"}).out, Not(HasSubstr("inet")));
    EXPECT_THAT(in(box, "a", "ip addr"), ContainsRegex("inet 10.71.0.1/24.* lan[0-9]"));
    EXPECT_THAT(in(box, "a", "ip route"), HasSubstr("default via 10.71.0.254 dev lan"));
    EXPECT_TRUE(reaches(box, "b", "a"));
    EXPECT_THAT(box.ok({"network", "inspect", "demo_alone"}),
                HasSubstr("\"com.docker.network.bridge.gateway_mode_ipv4\": \"isolated\""));
}

TEST(BridgeOptions, WhatCannotBeSaysWhy) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto error = [&](const std::string& option) {
        box.write("compose.yaml",
                  "services: {a: {image: busybox, command: sleep 1}}\nnetworks:\n  default:\n    driver_opts: {" +
                      option + "}\n");
        return box.fails({"up", "-d"});
    };
    const std::string bridge = "com.docker.network.bridge.";
    EXPECT_THAT(error(bridge + "gateway_mode_ipv4: isolated"), HasSubstr("isolated needs internal: true"));
    EXPECT_THAT(error(bridge + "gateway_mode_ipv4: proxy"), HasSubstr("\"proxy\" is no gateway mode"));
    EXPECT_THAT(error(bridge + "gateway_mode_ipv6: \"\""), HasSubstr("nat, nat-unprotected, routed, isolated"));
    EXPECT_THAT(error(bridge + "trusted_host_interfaces: \"eth0::eth1\""), HasSubstr("\"\" is no interface name"));
    EXPECT_THAT(error(bridge + "trusted_host_interfaces: ../eth0"), HasSubstr("is no interface name"));
    EXPECT_THAT(error(bridge + "default_bridge: \"true\""), HasSubstr("the default network is called bridge"));
    EXPECT_THAT(error(bridge + "inhibit_ipv4: perhaps"), HasSubstr("neither true nor false"));
    EXPECT_THAT(error("com.docker.network.container_iface_prefix: much_too_long_"), HasSubstr("too long for a prefix"));
}

}  // namespace
}  // namespace compose::test
