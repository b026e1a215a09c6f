// Networks as the file describes them: addresses, bridges, interfaces, and what may talk to what.
#include <gmock/gmock.h>

#include "support/traffic.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Networks, PoolsRangesAndReservedAddresses) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  fixed: {image: busybox, command: sleep 1000, networks: {lan: {ipv4_address: 10.77.9.9}}}
  any: {image: busybox, command: sleep 1000, scale: 2, networks: [lan]}
networks:
  lan:
    ipam:
      config: [{subnet: 10.77.0.0/16, gateway: 10.77.0.254, ip_range: 10.77.5.0/24, aux_addresses: {printer: 10.77.5.0, nas: 10.77.5.2}}]
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "fixed", "ip -4 addr show eth0"), HasSubstr("10.77.9.9/16"));
    EXPECT_THAT(in(box, "fixed", "ip route"), HasSubstr("default via 10.77.0.254"));
    const auto first = box.ok({"exec", "-T", "--index", "1", "any", "hostname", "-i"});
    const auto second = box.ok({"exec", "-T", "--index", "2", "any", "hostname", "-i"});
    EXPECT_THAT((std::vector<std::string>{first.substr(0, 9), second.substr(0, 9)}),
                testing::UnorderedElementsAre("10.77.5.1", "10.77.5.3"));
    EXPECT_TRUE(reaches(box, "fixed", "any"));
}

TEST(Networks, TheBridgeIsAsTheDriverOptionsSay) {
    REQUIRE_ROOT();
    Sandbox box;
    write_sites(box, R"(
  a: {<<: *site, networks: [lan], ports: ["18085:80"]}
  b: {image: busybox, command: sleep 1000, networks: [lan]}
)",
                R"(
networks:
  lan:
    driver_opts:
      com.docker.network.bridge.name: mybridge0
      com.docker.network.bridge.enable_icc: "false"
      com.docker.network.bridge.host_binding_ipv4: 127.0.0.1
      com.docker.network.driver.mtu: 1400
)");
    ASSERT_TRUE(box.host({"ip", "addr", "add", "198.51.100.9/32", "dev", "lo"}).ok());
    box.ok({"up", "-d"});
    EXPECT_THAT(box.host({"ip", "link", "show", "mybridge0"}).out, HasSubstr("mtu 1400"));
    EXPECT_THAT(in(box, "a", "ip link show eth0"), HasSubstr("mtu 1400"));
    EXPECT_FALSE(reaches(box, "b", "a", "1")) << "containers of this network don't talk to each other";
    const auto gateway = stripped(in(box, "a", "ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p'"));
    EXPECT_TRUE(reaches(box, "a", gateway)) << gateway;
    // Nor by the way of the host.
    const auto address = address_of(box, "a");
    (void)box.compose({"exec", "-T", "--privileged", "b", "ip", "route", "add", address, "via", gateway});
    EXPECT_FALSE(reaches(box, "b", address, "1"));
    EXPECT_TRUE(answers(box, "127.0.0.1:18085"));
    EXPECT_EQ(get(box, "198.51.100.9:18085"), "");
    box.ok({"down", "-t", "0"});
    EXPECT_FALSE(box.host({"ip", "link", "show", "mybridge0"}).ok());
}

TEST(Networks, ABridgeOfTheUsersIsNotTakenOver) {
    REQUIRE_ROOT();
    Sandbox box;
    ASSERT_TRUE(box.host({"ip", "link", "add", "theirs0", "type", "bridge"}).ok());
    box.write("compose.yaml", R"(
services: {a: {image: busybox, command: sleep 1000}}
networks: {default: {driver_opts: {com.docker.network.bridge.name: theirs0}}}
)");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("there is a bridge theirs0 already"));
    box.ok({"down", "-t", "0"});
    EXPECT_TRUE(box.host({"ip", "link", "show", "theirs0"}).ok());
    (void)box.host({"ip", "link", "del", "theirs0"});
}

TEST(Networks, WithoutMasqueradeTheSourceAddressStays) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  plain: {image: busybox, command: sleep 1000, networks: [plain]}
  hidden: {image: busybox, command: sleep 1000, networks: [hidden]}
networks:
  plain: {ipam: {config: [{subnet: 10.81.0.0/24}]}, driver_opts: {com.docker.network.bridge.enable_ip_masquerade: "false"}}
  hidden: {ipam: {config: [{subnet: 10.82.0.0/24}]}}
)");
    box.ok({"up", "-d"});
    const auto rules = box.host({"nft", "list", "ruleset"}).out;
    EXPECT_THAT(rules, HasSubstr("masquerade"));
    const auto bridge = [&](const std::string& subnet) {
        const auto line = box.host({"sh", "-c", "ip -4 -o addr | grep ' " + subnet + "'"}).out;
        const auto at = line.find(' ') + 1;
        return line.substr(at, line.find(' ', at) - at);
    };
    const auto at = rules.find("set masqueraded");
    ASSERT_NE(at, std::string::npos);
    const auto set = rules.substr(at, rules.find('}', rules.find("elements", at)) - at);
    EXPECT_THAT(set, HasSubstr(bridge("10.82.0.1")));
    EXPECT_THAT(set, Not(HasSubstr(bridge("10.81.0.1"))));
}

TEST(Networks, InterfacesHaveNamesAndMoreAddresses) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    networks:
      front: {interface_name: lan0, priority: 10, gw_priority: 1, mac_address: "02:00:00:00:00:07"}
      back: {link_local_ips: [169.254.7.7, 169.254.7.8]}
  peer: {image: busybox, command: sleep 1000, networks: {back: {link_local_ips: [169.254.7.9]}}}
networks: {front: {ipam: {config: [{subnet: 10.91.0.0/24}]}}, back: {internal: true}}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "web", "ip addr show lan0"), HasSubstr("10.91.0."));
    EXPECT_THAT(in(box, "web", "ip link show lan0"), HasSubstr("02:00:00:00:00:07"));
    EXPECT_THAT(in(box, "web", "ip route"), HasSubstr("default via 10.91.0.1 dev lan0"));
    EXPECT_THAT(in(box, "web", "ip addr show eth0"), HasSubstr("169.254.7.7/16"));
    EXPECT_TRUE(reaches(box, "peer", "169.254.7.8"));
    box.ok({"restart", "-t", "0", "web"});
    EXPECT_THAT(in(box, "web", "ip addr show lan0"), HasSubstr("10.91.0."));
}

TEST(Networks, HostsAndResolverSettings) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    hostname: web
    domainname: example.test
    extra_hosts: ["gate:host-gateway", "fixed=192.0.2.1", "six=[2001:db8::1]"]
    dns: [192.0.2.53]
    dns_search: [corp.test]
    dns_opt: ["ndots:3"]
networks: {default: {ipam: {config: [{subnet: 10.95.0.0/24}]}}}
)");
    box.ok({"up", "-d"});
    const auto hosts = in(box, "web", "cat /etc/hosts");
    EXPECT_THAT(hosts, HasSubstr("10.95.0.1\tgate"));
    EXPECT_THAT(hosts, HasSubstr("192.0.2.1\tfixed"));
    EXPECT_THAT(hosts, HasSubstr("2001:db8::1\tsix"));
    EXPECT_THAT(hosts, HasSubstr("web.example.test"));
    const auto resolv = in(box, "web", "cat /etc/resolv.conf");
    EXPECT_THAT(resolv, HasSubstr("nameserver 127.0.0.11"));
    EXPECT_THAT(resolv, HasSubstr("search corp.test"));
    EXPECT_THAT(resolv, HasSubstr("ndots:3"));
}

TEST(Networks, WhatCannotBeIsNamed) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services: {a: {image: busybox, command: sleep 1, networks: [one, two, three]}}
networks:
  one: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: proxied}}
  two: {ipam: {config: [{subnet: 10.1.0.0/24, ip_range: 10.2.0.0/24}]}}
  three: {driver_opts: {com.docker.network.driver.mtu: "12"}}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("gateway_mode_ipv4: \"proxied\" is no gateway mode"));
    EXPECT_THAT(error, HasSubstr("\"10.2.0.0/24\" is not inside of subnet 10.1.0.0/24"));
    EXPECT_THAT(error, HasSubstr("\"12\" is no MTU"));
}

TEST(Networks, TheDefaultBridgeIsSharedByAddressOnly) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, network_mode: bridge}
  b: {image: busybox, command: sleep 1000, network_mode: bridge}
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(reaches(box, "b", address_of(box, "a")));
    EXPECT_NE(box.compose({"exec", "-T", "b", "nslookup", "a"}).exit_code, 0);
    const auto first = box.field("demo-a-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-a-1", "ID"), first);
}

TEST(Ipv6, AddressesNamesAndAWayOut) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    box.write("compose.yaml", R"(
services:
  fixed: {image: busybox, command: sleep 1000, networks: {six: {ipv6_address: "fd00:77::99"}}}
  any: {image: busybox, command: sleep 1000, networks: [six]}
  ula: {image: busybox, command: sleep 1000, networks: [own]}
  other: {image: busybox, command: sleep 1000, networks: [own, quiet]}
  four: {image: busybox, command: sleep 1000, networks: [plain]}
networks:
  six: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:77::/64", gateway: "fd00:77::ffff"}, {subnet: 10.66.0.0/24}]}}
  own: {enable_ipv6: true}
  quiet: {enable_ipv6: true, internal: true}
  plain: {}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "fixed", "ip -6 addr show eth0"), HasSubstr("fd00:77::99/64"));
    EXPECT_THAT(in(box, "fixed", "ip -6 route"), HasSubstr("default via fd00:77::ffff"));
    EXPECT_THAT(in(box, "any", "nslookup -type=aaaa fixed"), HasSubstr("fd00:77::99"));
    EXPECT_THAT(in(box, "any", "nslookup fd00:77::99"), HasSubstr("name = demo-fixed-1.demo_six"));
    EXPECT_THAT(in(box, "fixed", "cat /etc/hosts"), HasSubstr("fd00:77::99"));
    const auto ping6 = [&](const std::string& from, const std::string& to) {
        return box.compose({"exec", "-T", from, "ping", "-6", "-c", "1", "-W", "2", to}).exit_code == 0;
    };
    EXPECT_TRUE(ping6("any", "fixed"));
    EXPECT_TRUE(ping6("ula", "other"));
    EXPECT_TRUE(ping6("any", "fd00:77::ffff"));
    EXPECT_THAT(in(box, "ula", "ip -6 addr show eth0"), testing::ContainsRegex("inet6 fd[0-9a-f]+:"));
    // Networks are apart from each other here too.
    const auto ula = in(box, "ula", "ip -6 addr show eth0 scope global");
    const auto at = ula.find("inet6 ") + 6;
    EXPECT_FALSE(ping6("any", ula.substr(at, ula.find('/', at) - at)));
    // Out of the host: to a neighbour who knows no way back to the containers.
    ASSERT_TRUE(
        box.host({"sh", "-c",
                  "ip link add out0 type veth peer name far0 && ip -6 addr add 2001:db8:1::1/64 dev out0 nodad && "
                  "ip link set out0 up && (unshare --net sleep 60 >/dev/null 2>&1 & echo $! > " +
                      box.path("pid") + ")"})
            .ok());
    auto pid = box.host({"cat", box.path("pid")}).out;
    pid.resize(pid.find('\n'));
    ASSERT_TRUE(eventually([&] {
        return box
            .host({"sh", "-c", "[ \"$(readlink /proc/" + pid + "/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]"})
            .ok();
    }));
    ASSERT_TRUE(box.host({"ip", "link", "set", "far0", "netns", pid}).ok());
    ASSERT_TRUE(box.host({"nsenter", "--net=/proc/" + pid + "/ns/net", "sh", "-c",
                          "ip -6 addr add 2001:db8:1::2/64 dev far0 nodad && ip link set far0 up"})
                    .ok());
    EXPECT_TRUE(eventually([&] { return ping6("any", "2001:db8:1::2"); }));
    EXPECT_EQ(in(box, "other", "ip -6 route | grep -c '^default'"), "1\n") << "not by the internal network";
    // Without enable_ipv6 nothing of it is there.
    EXPECT_EQ(in(box, "four", "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6"), "1\n");
    EXPECT_EQ(in(box, "any", "cat /proc/sys/net/ipv6/conf/eth0/accept_ra"), "0\n");
    (void)box.host({"kill", pid});
    (void)box.host({"ip", "link", "del", "out0"});
}

TEST(Ipv6, WhatCannotBeIsNamed) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services: {a: {image: busybox, command: sleep 1, networks: [one, two]}}
networks:
  one: {ipam: {config: [{subnet: "fd00:1::/64"}]}}
  two: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:2::/120"}]}}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("subnet fd00:1::/64 needs enable_ipv6: true"));
    EXPECT_THAT(error, HasSubstr("up to /96"));
    box.write("compose.yaml", R"(
services: {a: {image: busybox, command: sleep 1, networks: {default: {ipv6_address: "fd00::5"}}}}
)");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("has no IPv6"));
}

TEST(LocalVolumes, InMemoryBoundAndRefused) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("there/file", "on the host\n");
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, volumes: ["mem:/mem", "dir:/dir"]}
  b: {image: busybox, command: sleep 1000, volumes: ["mem:/mem"]}
volumes:
  mem: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=3m,uid=1000,mode=0750"}}
  dir: {driver_opts: {type: none, device: ./there, o: bind}}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "a", "mount"), testing::ContainsRegex("tmpfs on /mem type tmpfs \\([^)]*size=3072k"));
    EXPECT_EQ(in(box, "a", "stat -c '%a %u' /mem"), "750 1000\n");
    (void)in(box, "a", "echo both > /mem/x");
    EXPECT_EQ(in(box, "b", "cat /mem/x"), "both\n");
    EXPECT_EQ(in(box, "a", "cat /dir/file"), "on the host\n");
    box.ok({"restart", "-t", "0"});
    EXPECT_EQ(in(box, "b", "cat /mem/x"), "both\n");
    box.ok({"down", "-v", "-t", "0"});
    EXPECT_THAT(box.host({"cat", "/proc/self/mountinfo"}).out, Not(HasSubstr(box.state())));
    EXPECT_EQ(box.host({"cat", box.path("there/file")}).out, "on the host\n");
    box.write("compose.yaml", R"(
services: {a: {image: busybox, command: sleep 1000, volumes: ["bad:/x"]}}
volumes: {bad: {driver_opts: {type: ext4, device: /dev/nosuch}}}
)");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("mount /dev/nosuch (ext4)"));
}

TEST(PreStart, RunsBeforeTheFirstContainerOnly) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    scale: 2
    volumes: ["data:/data"]
    pre_start:
      - {command: ["sh", "-c", "echo first $$WHO >> /data/log"], environment: {WHO: me}}
      - {command: ["sh", "-c", "id -u >> /data/log"], user: "1000"}
      - {command: ["sh", "-c", "chmod 777 /data"]}
volumes: {data: {}}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("pre_start[1] exited with code 1"));
    EXPECT_THAT(error, HasSubstr("ermission denied"));
    // What failed can be looked at; it is nobody's orphan.
    EXPECT_EQ(box.field("demo-web-pre_start-1", "ExitCode"), "1");
    EXPECT_THAT(box.ok({"container", "ls", "-a"}), HasSubstr("demo-web-pre_start-1"));
    EXPECT_THAT(box.compose({"container", "logs", "demo-web-pre_start-1"}).err, HasSubstr("ermission denied"));
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    scale: 2
    volumes: ["data:/data"]
    pre_start:
      - {command: ["sh", "-c", "echo again >> /data/log"]}
volumes: {data: {}}
)");
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_EQ(in(box, "web", "cat /data/log"), "first me\nagain\n");
    EXPECT_EQ(box.ps().size(), 2U) << "what prepares does not stay";
    box.ok({"up", "-d", "--scale", "web=3"});
    EXPECT_EQ(in(box, "web", "cat /data/log"), "first me\nagain\n");
    // With one still there it is no first start; with none it is.
    box.ok({"stop", "-t", "0", "web"});
    box.ok({"start"});
    EXPECT_EQ(in(box, "web", "cat /data/log"), "first me\nagain\nagain\n");
    box.ok({"start"});
    EXPECT_EQ(in(box, "web", "cat /data/log"), "first me\nagain\nagain\n");
}

TEST(PreStart, DownTakesTheFailedOneAlong) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services: {web: {image: busybox, command: sleep 1000, pre_start: [{command: ["false"]}]}}
)");
    for (int i = 0; i < 2; ++i) {
        const auto error = box.fails({"up", "-d"});
        EXPECT_THAT(error, HasSubstr("pre_start[0] exited with code 1 (container demo-web-pre_start-0)"));
        EXPECT_THAT(error, Not(HasSubstr("orphan")));
        EXPECT_EQ(box.field("demo-web-pre_start-0", "State"), "exited");
    }
    box.ok({"down"});
    EXPECT_EQ(box.ps().size(), 0U);
}

TEST(PreStart, OfEachReplicaSeesItsVolumesAndRunsEachTime) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    scale: 2
    volumes: ["data:/data", "/own"]
    pre_start:
      - {command: ["sh", "-c", "echo once >> /data/log"]}
      - {command: ["sh", "-c", "echo mine >> /own/log; echo each >> /data/log"], per_replica: true}
      - {command: ["sh", "-c", "wc -l < /own/log >> /data/seen"], per_replica: true}
volumes: {data: {}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(in(box, "web", "cat /data/log"), "once\neach\neach\n");
    EXPECT_EQ(in(box, "web", "cat /data/seen"), "1\n1\n");
    EXPECT_EQ(in(box, "web", "cat /own/log"), "mine\n");
    EXPECT_EQ(box.ps().size(), 2U) << "what prepares does not stay";
    // Only the new one starts.
    box.ok({"up", "-d", "--scale", "web=3"});
    EXPECT_EQ(in(box, "web", "cat /data/log"), "once\neach\neach\neach\n");
    EXPECT_EQ(box.ok({"exec", "-T", "--index", "3", "web", "cat", "/own/log"}), "mine\n");
}

}  // namespace
}  // namespace compose::test
