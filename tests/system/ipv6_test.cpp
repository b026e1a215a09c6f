// Published ports on IPv6 addresses of the host, and networks that have nothing else.
#include <gmock/gmock.h>

#include "support/lan.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// One line sent as a datagram, and what comes back.
std::string ask(const Sandbox& box, const std::string& address, int port) {
    return box
        .host({"python3", "-c",
               "import socket,sys\n"
               "a,p=sys.argv[1],int(sys.argv[2])\n"
               "s=socket.socket(socket.AF_INET6 if ':' in a else socket.AF_INET,socket.SOCK_DGRAM)\n"
               "s.settimeout(3); s.connect((a,p)); s.send(b'ping\\n'); print(s.recv(100).decode(),end='')",
               address, std::to_string(port)})
        .out;
}

// Sends every datagram back, in the container's network. Its process id.
std::string serve_datagrams(const Sandbox& box, const std::string& container) {
    auto pid = box.host({"sh", "-c",
                         "nsenter --net=/proc/" + std::to_string(box.pid_of(container)) +
                             "/ns/net python3 -c 'import socket\n"
                             "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind((\"\",9000))\n"
                             "while 1:\n d,a=s.recvfrom(9999)\n s.sendto(d,a)' >/dev/null 2>&1 & echo $!"})
                   .out;
    pid.resize(pid.find('\n'));
    return pid;
}

TEST(Ipv6Ports, BothFamiliesOfTheHostLeadToAContainerWithIpv4) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    write_sites(box, R"(
  web:
    <<: *site
    ports: ["18080:80", "0.0.0.0:18081:80", "[::]:18082:80", "[::1]:18083:80", "[2001:db8:7::1]:18084:80", "80"]
  echo:
    image: busybox
    command: sleep 1000
    ports: ["19000:9000/udp"]
)");
    ASSERT_TRUE(box.host({"ip", "addr", "add", "2001:db8:7::1/128", "dev", "lo", "nodad"}).ok());
    box.ok({"up", "-d"});
    for (const char* address : {"127.0.0.1", "[::1]", "[2001:db8:7::1]"})
        EXPECT_TRUE(answers(box, std::string(address) + ":18080"));
    EXPECT_EQ(get(box, "127.0.0.1:18081"), kHello);
    EXPECT_EQ(get(box, "[::1]:18081"), "");
    EXPECT_EQ(get(box, "127.0.0.1:18082"), "");
    EXPECT_EQ(get(box, "[::1]:18082"), kHello);
    EXPECT_EQ(get(box, "[2001:db8:7::1]:18082"), kHello);
    EXPECT_EQ(get(box, "[::1]:18083"), kHello);
    EXPECT_EQ(get(box, "[2001:db8:7::1]:18083"), "");
    EXPECT_EQ(get(box, "[2001:db8:7::1]:18084"), kHello);
    EXPECT_EQ(get(box, "[::1]:18084"), "");
    // Of its own choice: the same number for both.
    const auto ports = box.field("demo-web-1", "Ports");
    EXPECT_THAT(ports, HasSubstr("0.0.0.0:18080->80/tcp, [::]:18080->80/tcp"));
    EXPECT_THAT(ports, HasSubstr("[::1]:18083->80/tcp"));
    EXPECT_EQ(box.ok({"port", "web", "80"}).find("0.0.0.0:"), 0U);
    const auto server = serve_datagrams(box, "demo-echo-1");
    for (const char* address : {"127.0.0.1", "::1", "2001:db8:7::1"})
        EXPECT_TRUE(eventually([&] { return ask(box, address, 19000) == "ping\n"; })) << address;
    (void)box.host({"kill", server});
    // The port is held for both families, and nothing is left of it afterwards.
    EXPECT_THAT(box.host({"ss", "-Hltn", "sport = :18080"}).out, HasSubstr(":18080"));
    const auto first = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), first) << "an unchanged project stays as it is";
    box.ok({"stop", "-t", "0", "web"});
    EXPECT_EQ(get(box, "[::1]:18080"), "");
    EXPECT_EQ(box.host({"ss", "-Hltn", "sport = :18080"}).out, "");
    box.ok({"start", "web"});
    EXPECT_TRUE(answers(box, "[::1]:18080")) << "although connections of before have just ended";
}

TEST(Ipv6Ports, RulesLeadToAContainerWithIpv6) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    write_sites(box, R"(
  web:
    <<: *site
    ports: ["18080:80", "[2001:db8:7::1]:18084-18085:80"]
    networks: {six: {ipv6_address: "fd00:77::50"}}
  near: {image: busybox, command: sleep 1000, networks: [six]}
  far: {image: busybox, command: sleep 1000, networks: [other]}
  shut: {image: busybox, command: sleep 1000, networks: [quiet]}
networks:
  six: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:77::/64"}]}}
  other: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:78::/64"}]}}
  quiet: {enable_ipv6: true, internal: true, ipam: {config: [{subnet: "fd00:79::/64"}]}}
)");
    ASSERT_TRUE(box.host({"ip", "addr", "add", "2001:db8:7::1/128", "dev", "lo", "nodad"}).ok());
    box.ok({"up", "-d"});
    EXPECT_THAT(rules(box), testing::ContainsRegex("tcp . 18080 : fd00:77::50 . 80"));
    EXPECT_THAT(rules(box), testing::ContainsRegex("2001:db8:7::1 . tcp . 1808[45] : fd00:77::50 . 80"));
    for (const char* address : {"127.0.0.1", "[::1]", "[2001:db8:7::1]"})
        EXPECT_TRUE(answers(box, std::string(address) + ":18080"));
    EXPECT_EQ(fetch(box, "near", "[fd00:77::50]:80"), kHello);
    EXPECT_EQ(fetch(box, "near", "[2001:db8:7::1]:18080"), kHello) << "its own network, through the host";
    EXPECT_EQ(fetch(box, "far", "[2001:db8:7::1]:18080"), kHello) << "another one, by what is published";
    EXPECT_EQ(fetch(box, "far", "[fd00:77::50]:80", "1"), "") << "but not straight";
    EXPECT_EQ(fetch(box, "shut", "[2001:db8:7::1]:18080", "1"), "");
    EXPECT_EQ(fetch(box, "shut", "[fd00:79::1]:18080", "1"), "") << "no relay for an internal network";
    // All rules lost: they come back with those of this family.
    ASSERT_TRUE(box.host({"nft", "flush", "ruleset"}).ok());
    box.ok({"up", "-d"});
    EXPECT_THAT(rules(box), testing::ContainsRegex("tcp . 18080 : fd00:77::50 . 80"));
    box.ok({"down", "-t", "0"});
    EXPECT_THAT(rules(box), Not(HasSubstr("18080")));
}

TEST(Ipv6Ports, ANeighbourReachesThemOverTheNetwork) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    const Neighbour neighbour(box);
    write_sites(box, R"(
  six:
    <<: *site
    ports: ["18080:80", "[fd44::1]:18081:80", "[::1]:18082:80", "[2001:db8:7::1]:18083:80", "19000:9000"]
    networks: {six: {ipv6_address: "fd00:77::50"}}
  four: {<<: *site, ports: ["18090:80", "19001:9000"], networks: [four]}
)",
                R"(
networks:
  six: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:77::/64"}]}}
  four: {ipam: {config: [{subnet: 10.78.0.0/24}]}}
)");
    ASSERT_TRUE(box.host({"ip", "addr", "add", "2001:db8:7::1/128", "dev", "lo", "nodad"}).ok());
    box.ok({"up", "-d"});
    EXPECT_TRUE(neighbour.sees_site("[fd44::1]:18080"));
    EXPECT_TRUE(neighbour.sees_site("[fd44::1]:18081"));
    EXPECT_TRUE(neighbour.sees_site("10.44.0.1:18080"));
    EXPECT_TRUE(neighbour.sees_site("[fd44::1]:18090")) << "through the relay, to a container that has IPv4 alone";
    EXPECT_EQ(neighbour.get("[fd44::1]:18082"), "") << "a port of ::1 stays on the host";
    EXPECT_EQ(neighbour.get("[fd44::1]:18083"), "") << "a port of another address";
    EXPECT_EQ(neighbour.get("[2001:db8:7::1]:18083"), kHello) << "which the neighbour may reach all the same";
    EXPECT_EQ(neighbour.get("[fd00:77::50]:80"), "") << "not straight";
    // By rules the container sees who asks; a relay stands in between.
    const auto peer_at = [&](const std::string& port) {
        return neighbour
            .run("python3 -c 'import socket; print(socket.create_connection((\"fd44::1\"," + port +
                 "),3).recv(99).decode())'")
            .out;
    };
    const auto first = tell_peers(box, std::to_string(box.pid_of("demo-six-1")), 9000);
    const auto second = tell_peers(box, std::to_string(box.pid_of("demo-four-1")), 9000);
    EXPECT_TRUE(eventually([&] { return peer_at("19000") == "fd44::fe\n"; })) << peer_at("19000");
    EXPECT_TRUE(eventually([&] { return peer_at("19001") == "::ffff:10.78.0.1\n"; })) << peer_at("19001");
    (void)box.host({"kill", first, second});
    box.ok({"down", "-t", "0"});
    EXPECT_EQ(neighbour.get("[fd44::1]:18080"), "");
}

TEST(Ipv6Ports, HoldersOfBothFamilies) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    box.write("compose.yaml", R"(
services:
  four: {image: busybox, command: sleep 1000, ports: ["0.0.0.0:18090:80"]}
  six: {image: busybox, command: sleep 1000, ports: ["[::]:18090:80"]}
)");
    box.ok({"up", "-d"});  // side by side
    box.write("other/compose.yaml", "services: {two: {image: busybox, command: sleep 1000, ports: ['18090:80']}}\n");
    EXPECT_THAT(box.fails({"-f", "other/compose.yaml", "up", "-d"}),
                testing::ContainsRegex("taken by container demo-(four|six)-1"));
    box.write("other/compose.yaml",
              "services: {two: {image: busybox, command: sleep 1000, ports: ['[0::1]:18090:80']}}\n");
    EXPECT_THAT(box.fails({"-f", "other/compose.yaml", "up", "-d"}), HasSubstr("demo-six-1"));
    box.ok({"down", "-t", "0"});
    // Somebody else's, on the one address.
    sys::Command listener{.argv = {"python3", "-c",
                                   "import os,socket,sys,time\n"
                                   "s=socket.create_server(('::1',18090),family=socket.AF_INET6)\n"
                                   "p=os.fork()\n"
                                   "if p: print(p); sys.exit()\n"
                                   "os.close(1); os.close(2); time.sleep(60)"}};
    auto pid = sys::run_command(listener).out;
    pid.resize(pid.find('\n'));
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("[::]:18090/tcp is already in use by"));
    EXPECT_THAT(error, HasSubstr("(pid " + pid + ")"));
    EXPECT_THAT(error, Not(HasSubstr("0.0.0.0:18090")));
    (void)box.host({"kill", pid});
}

TEST(Ipv6Ports, AHostWithoutIpv6) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    ASSERT_TRUE(box.host({"sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"}).ok());
    write_sites(box, "  web: {<<: *site, ports: [\"18080:80\"]}\n");
    box.ok({"up", "-d"});
    EXPECT_TRUE(answers(box, "127.0.0.1:18080"));
    EXPECT_EQ(box.field("demo-web-1", "Ports"), "0.0.0.0:18080->80/tcp");
    box.write("six/compose.yaml",
              "services: {two: {image: busybox, command: sleep 1000, ports: ['[::1]:18090:80']}}\n");
    const auto error = box.fails({"-f", "six/compose.yaml", "-p", "six", "up", "-d"});
    EXPECT_THAT(error, HasSubstr("this host has no IPv6"));
    EXPECT_THAT(error, HasSubstr("compose.yaml:1:"));
    (void)box.host({"sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6"});
}

TEST(Ipv6Ports, APortOfTheKernelsChoiceStaysWhenTheContainerRestarts) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    write_sites(box, "  web: {<<: *site, restart: always, ports: [\"80\"]}\n");
    box.ok({"up", "-d"});
    const auto where = box.ok({"port", "web", "80"});
    const auto port = stripped(where.substr(where.rfind(':') + 1));
    EXPECT_TRUE(answers(box, "[::1]:" + port));
    const int first = box.pid_of("demo-web-1");
    ASSERT_TRUE(box.host({"kill", "-9", std::to_string(first)}).ok());
    ASSERT_TRUE(eventually([&] {
        const int now = box.pid_of("demo-web-1");
        return now != 0 && now != first && box.field("demo-web-1", "State") == "running";
    }));
    EXPECT_TRUE(answers(box, "[::1]:" + port));
    EXPECT_TRUE(answers(box, "127.0.0.1:" + port));
    EXPECT_EQ(box.ok({"port", "web", "80"}), where);
}

TEST(Ipv6Ports, TheRelaySurvivesItsSupervisor) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    box.write("site/large", std::string(4'000'000, 'x'));
    write_sites(box, "  web: {<<: *site, ports: [\"18080:80\"]}\n");
    box.ok({"up", "-d"});
    EXPECT_TRUE(answers(box, "[::1]:18080"));
    EXPECT_EQ(box.host({"sh", "-c", "curl -sS -g -m 20 'http://[::1]:18080/large' | wc -c"}).out, "4000000\n");
    const auto old = box.resident_pid("supervisor");
    ASSERT_GT(old, 0);
    ASSERT_TRUE(box.host({"kill", "-9", std::to_string(old)}).ok());
    EXPECT_TRUE(
        eventually([&] { return box.resident_pid("supervisor") > 0 && box.resident_pid("supervisor") != old; }));
    EXPECT_TRUE(answers(box, "[::1]:18080"));
}

TEST(Ipv6Networks, NothingButIpv6) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    write_sites(box, R"(
  web:
    <<: *site
    ports: ["18080:80", "0.0.0.0:18081:80"]
    networks: {six: {ipv6_address: "fd00:77::50"}}
    extra_hosts: ["gate:host-gateway"]
  fixed: {image: busybox, command: sleep 1000, networks: {six: {ipv6_address: "fd00:77::99"}}}
  both: {image: busybox, command: sleep 1000, networks: [a, six]}
networks:
  six: {enable_ipv4: false, enable_ipv6: true, ipam: {config: [{subnet: "fd00:77::/64"}]}}
  a: {}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(in(box, "web", "ip -4 addr show eth0"), "");
    EXPECT_THAT(in(box, "web", "ip -6 addr show eth0"), HasSubstr("inet6 fd00:77::"));
    EXPECT_THAT(in(box, "web", "ip -6 route"), HasSubstr("default via fd00:77::1"));
    EXPECT_THAT(in(box, "web", "cat /etc/hosts"), HasSubstr("fd00:77::1\tgate"));
    EXPECT_THAT(in(box, "web", "nslookup -type=aaaa fixed"), HasSubstr("fd00:77::99"));
    EXPECT_THAT(in(box, "web", "nslookup -type=a fixed || true"), Not(HasSubstr("Name:")));
    EXPECT_EQ(fetch(box, "fixed", "[fd00:77::50]"), kHello);
    // Each family has the way out that it can have.
    EXPECT_THAT(in(box, "both", "ip -4 route"), HasSubstr("default via"));
    EXPECT_THAT(in(box, "both", "ip -6 route"), HasSubstr("default via fd00:77::1"));
    for (const char* address : {"127.0.0.1", "[::1]"})
        EXPECT_TRUE(answers(box, std::string(address) + ":18080")) << address;
    EXPECT_TRUE(answers(box, "127.0.0.1:18081"));
    EXPECT_EQ(get(box, "[::1]:18081"), "");
    EXPECT_EQ(box.host({"sh", "-c", "ip -4 addr show type bridge | grep -c 'inet '"}).out, "1\n");
    const auto first = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), first);
    box.ok({"down", "-t", "0"});

    EXPECT_NE(box.compose({"network", "create", "--ipv4=false", "--ipv6", "by-hand"}).out, "");
    const auto shown = box.ok({"network", "inspect", "by-hand"});
    EXPECT_THAT(shown, HasSubstr("\"EnableIPv4\": false"));
    EXPECT_THAT(shown, HasSubstr("\"EnableIPv6\": true"));
    box.ok({"network", "rm", "by-hand"});
}

TEST(Ipv6Networks, WhatCannotBe) {
    REQUIRE_ROOT();
    Sandbox box;
    REQUIRE_IPV6(box);
    const auto refused = [&](const std::string& network, const std::string& attachment) {
        box.write("compose.yaml", "services: {a: {image: busybox, command: sleep 1000, networks: {n: " + attachment +
                                      "}}}\nnetworks:\n  n: " + network + "\n");
        return box.fails({"up", "-d"});
    };
    const auto neither = refused("{enable_ipv4: false}", "{}");
    EXPECT_THAT(neither, HasSubstr("IPv4 or IPv6 must be enabled"));
    EXPECT_THAT(neither, HasSubstr("compose.yaml:3:3"));
    EXPECT_THAT(refused("{enable_ipv4: false, enable_ipv6: true, ipam: {config: [{subnet: 10.9.0.0/24}]}}", "{}"),
                HasSubstr("needs enable_ipv4"));
    EXPECT_THAT(refused("{enable_ipv4: false, enable_ipv6: true}", "{ipv4_address: 10.9.0.4}"),
                HasSubstr("has no IPv4"));
    box.ok({"network", "create", "--ipv6", "--subnet", "fd00:77::/48", "wide"});
    EXPECT_THAT(refused("{enable_ipv6: true, ipam: {config: [{subnet: \"fd00:77:0:9::/64\"}]}}", "{}"),
                HasSubstr("subnet fd00:77:0:9::/64 overlaps fd00:77::/48 of network wide"));
    box.ok({"network", "rm", "wide"});
    EXPECT_THAT(box.fails({"network", "create", "--ipv4=false", "none-at-all"}),
                HasSubstr("IPv4 or IPv6 must be enabled"));
}

}  // namespace
}  // namespace compose::test
