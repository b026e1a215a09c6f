// Names, addresses, isolation and published ports, seen from inside and outside the containers.
#include <gmock/gmock.h>

#include "support/traffic.hpp"
#include "sys/port_socket.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Network, ServicesFindEachOtherByName) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000}
  db:
    image: busybox
    command: sleep 1000
    hostname: database
    networks: {default: {aliases: [store]}}
)");
    box.ok({"up", "-d"});
    for (const char* name : {"db", "store", "demo-db-1", "DB"}) EXPECT_TRUE(reaches(box, "web", name)) << name;
    EXPECT_NE(box.compose({"exec", "-T", "web", "nslookup", "nosuch.invalid"}).exit_code, 0);
    EXPECT_EQ(box.ok({"exec", "-T", "db", "hostname"}), "database\n");
    EXPECT_THAT(box.ok({"exec", "-T", "web", "cat", "/etc/resolv.conf"}), HasSubstr("nameserver 127.0.0.11"));
    EXPECT_THAT(in(box, "web", "nslookup " + address_of(box, "db")), HasSubstr("demo-db-1"));
}

TEST(Network, AStoppedContainerIsNoAnswer) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000}
  db: {image: busybox, command: sleep 1000, scale: 2}
)");
    box.ok({"up", "-d"});
    const auto addresses = [&] {
        int count = 0;
        const auto text = box.compose({"exec", "-T", "web", "nslookup", "db"}).out;
        for (std::size_t at = 0; (at = text.find("Address:", at)) != std::string::npos; ++at) ++count;
        return count - 1;  // the server's own line
    };
    EXPECT_EQ(addresses(), 2);
    box.ok({"kill", "db"});
    EXPECT_TRUE(eventually([&] { return box.compose({"exec", "-T", "web", "nslookup", "db"}).exit_code != 0; }));
}

TEST(Network, NetworksAreIsolatedFromEachOther) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  front: {image: busybox, command: sleep 1000, networks: [a, b]}
  left: {image: busybox, command: sleep 1000, networks: [a]}
  right: {image: busybox, command: sleep 1000, networks: [b]}
networks: {a: {}, b: {}}
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(reaches(box, "front", "left"));
    EXPECT_TRUE(reaches(box, "front", "right"));
    EXPECT_FALSE(reaches(box, "left", address_of(box, "right"), "1"));
    EXPECT_NE(box.compose({"exec", "-T", "left", "nslookup", "right"}).exit_code, 0);
}

TEST(Network, WhatPassesABridgePassesNoRulesOfTheHostToo) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto setting = [&] { return box.host({"cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"}).out; };
    if (setting().empty() || box.host({"grep", "-qsr", "net.bridge", "/etc/sysctl.d", "/usr/lib/sysctl.d"}).ok())
        GTEST_SKIP() << "this kernel doesn't do it, or this machine's sysctl files ask for it";
    ASSERT_EQ(setting(), "1\n");
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(setting(), "0\n");
    ASSERT_TRUE(box.host({"ip", "link", "add", "theirs", "type", "bridge"}).ok());
    box.ok({"network", "create", "other"});
    EXPECT_EQ(setting(), "1\n") << "somebody else has a bridge, and may filter what passes it";
    ASSERT_TRUE(box.host({"ip", "link", "del", "theirs"}).ok());
    box.ok({"network", "rm", "other"});
    EXPECT_EQ(setting(), "0\n");
    box.ok({"down", "-t", "0"});
    EXPECT_EQ(setting(), "1\n");
}

TEST(Network, PublishedPorts) {
    REQUIRE_ROOT();
    Sandbox box;
    write_sites(box, R"(
  web: {<<: *site, ports: ["18080:80", "127.0.0.1:18081:80"]}
  echo:
    image: busybox
    command: sleep 1000
    ports: ["19000:9000/udp"]
)");
    ASSERT_TRUE(box.host({"ip", "addr", "add", "198.51.100.7/32", "dev", "lo"}).ok());
    box.ok({"up", "-d"});
    EXPECT_TRUE(answers(box, "127.0.0.1:18080"));
    EXPECT_EQ(get(box, "198.51.100.7:18080"), kHello);
    EXPECT_EQ(get(box, "127.0.0.1:18081"), kHello);
    EXPECT_EQ(get(box, "198.51.100.7:18081"), "");
    EXPECT_THAT(box.field("demo-echo-1", "Ports"), testing::StartsWith("0.0.0.0:19000->9000/udp"));
    EXPECT_THAT(box.ok({"ps"}), HasSubstr("0.0.0.0:18080->80/tcp"));
    box.ok({"stop", "-t", "0", "web"});
    EXPECT_EQ(get(box, "127.0.0.1:18080"), "");
    box.ok({"start", "web"});
    EXPECT_TRUE(answers(box, "127.0.0.1:18080"));
}

TEST(Network, ATakenPortNamesItsHolder) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  one: {image: busybox, command: sleep 1000, ports: ["18090:80"]}
)");
    box.ok({"up", "-d"});
    box.write("other/compose.yaml", "services: {two: {image: busybox, command: sleep 1000, ports: ['18090:80']}}\n");
    const auto error = box.fails({"-f", "other/compose.yaml", "up", "-d"});
    EXPECT_THAT(error, HasSubstr("18090"));
    EXPECT_THAT(error, HasSubstr("demo-one-1"));
    box.ok({"down", "-t", "0"});

    sys::Command listener{.argv = {"sh", "-c", "busybox nc -l -p 18090 >/dev/null & echo $!"}};
    const auto pid = sys::run_command(listener).out;
    ASSERT_TRUE(eventually([&] { return !box.host({"sh", "-c", "ss -Hltn sport = :18090"}).out.empty(); }));
    const auto taken = box.fails({"up", "-d"});
    EXPECT_THAT(taken, HasSubstr("18090"));
    EXPECT_THAT(taken, HasSubstr(pid.substr(0, pid.size() - 1)));
    (void)box.host({"kill", pid.substr(0, pid.size() - 1)});
}

TEST(Network, InternalNetworkHasNoWayOut) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000}
  b: {image: busybox, command: httpd -f -p 80 -h /etc, ports: ["18777:80"]}
networks: {default: {internal: true}}
)");
    ASSERT_TRUE(box.host({"ip", "link", "add", "out0", "type", "bridge"}).ok());
    ASSERT_TRUE(box.host({"ip", "addr", "add", "203.0.113.1/24", "dev", "out0"}).ok());
    ASSERT_TRUE(box.host({"ip", "link", "set", "out0", "up"}).ok());
    const auto said = box.compose({"up", "-d"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.err, AllOf(HasSubstr("compose.yaml:4:"), HasSubstr("ports are not published")));
    EXPECT_TRUE(reaches(box, "a", "b"));
    EXPECT_FALSE(box.host({"busybox", "wget", "-q", "-O", "-", "-T", "1", "http://127.0.0.1:18777/hostname"}).ok());
    EXPECT_THAT(box.ok({"ps"}), Not(HasSubstr("18777")));
    EXPECT_FALSE(box.host({"sh", "-c", "nft list ruleset | grep 18777"}).ok());
    EXPECT_FALSE(reaches(box, "a", "203.0.113.9", "1"));
    (void)box.host({"ip", "link", "del", "out0"});
}

TEST(Network, NetworkModeNoneAndHost) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  alone: {image: busybox, command: sleep 1000, network_mode: none}
  shared: {image: busybox, command: sleep 1000, network_mode: host}
)");
    ASSERT_TRUE(box.host({"ip", "link", "add", "mark0", "type", "bridge"}).ok());
    box.ok({"up", "-d"});
    EXPECT_THAT(box.ok({"exec", "-T", "alone", "ip", "-o", "link"}), Not(HasSubstr("eth0")));
    EXPECT_THAT(box.ok({"exec", "-T", "shared", "ip", "-o", "link"}), HasSubstr("mark0"));
    (void)box.host({"ip", "link", "del", "mark0"});
}

TEST(Network, AnExternalNetworkJoinsTwoProjects) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {db: {image: busybox, command: sleep 1000}}\nnetworks: {default: {name: shared}}\n");
    box.write("other/compose.yaml",
              "services: {web: {image: busybox, command: sleep 1000}}\nnetworks: {default: {name: shared, external: "
              "true}}\n");
    EXPECT_THAT(box.fails({"-f", "other/compose.yaml", "up", "-d"}), HasSubstr("shared"));
    box.ok({"up", "-d"});
    box.ok({"-f", "other/compose.yaml", "up", "-d"});
    EXPECT_EQ(
        box.compose({"-f", "other/compose.yaml", "exec", "-T", "web", "ping", "-c", "1", "-W", "2", "db"}).exit_code,
        0);
    EXPECT_TRUE(reaches(box, "db", "web"));
    box.ok({"-f", "other/compose.yaml", "down", "-t", "0"});
}

TEST(Network, WhoWasTakenOffItIsMadeAnew) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
)");
    box.ok({"up", "-d"});
    const auto web = box.field("demo-web-1", "ID"), db = box.field("demo-db-1", "ID");
    box.ok({"network", "disconnect", "demo_default", "demo-web-1"});
    EXPECT_FALSE(reaches(box, "db", "web"));
    EXPECT_EQ(box.compose({"plan"}).out, "~ replace Container demo-web-1: network demo_default not attached\n");
    EXPECT_EQ(box.compose({"up", "-d", "--no-recreate"}).exit_code, 0);
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    box.ok({"up", "-d"});
    EXPECT_NE(box.field("demo-web-1", "ID"), web);
    EXPECT_EQ(box.field("demo-db-1", "ID"), db);
    EXPECT_TRUE(reaches(box, "db", "web"));
    for (const char* name : {"demo-web-1", "demo-db-1"}) box.ok({"network", "disconnect", "demo_default", name});
    box.ok({"network", "rm", "demo_default"});
    box.ok({"up", "-d"});
    EXPECT_NE(box.field("demo-db-1", "ID"), db);
    EXPECT_TRUE(reaches(box, "db", "web"));
}

TEST(Network, OfThatNameFromElsewhereIsUsedWithAWarning) {
    REQUIRE_ROOT();
    Sandbox box;
    box.ok({"network", "create", "--subnet", "10.73.0.0/24", "demo_default"});
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
networks: {default: {internal: true}}
)");
    const auto up = box.compose({"up", "-d"});
    EXPECT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err,
                HasSubstr("a network with name demo_default exists but was not created for project \"demo\". Set "
                          "`external: true` to use an existing network"));
    EXPECT_THAT(address_of(box, "web"), testing::StartsWith("10.73.0."));
    EXPECT_TRUE(reaches(box, "web", "db"));
    EXPECT_EQ(box.ok({"plan"}), "nothing to do\n");
    box.ok({"down"});
    EXPECT_THAT(box.ok({"network", "ls", "-q", "--no-trunc", "-f", "name=demo_default"}), Not(testing::IsEmpty()));
    box.ok({"network", "rm", "demo_default"});
}

TEST(Network, SaysOnWhichAddressPortsAreTaken) {
    REQUIRE_ROOT();
    Sandbox box;
    // The same port on other addresses is none that is taken.
    write_sites(box, R"(
  one: {<<: *site, stop_grace_period: 0s, ports: ["18090:80"], networks: [one]}
  two: {<<: *site, stop_grace_period: 0s, ports: ["18090:80"], networks: [two]}
)",
                R"(networks:
  one: {driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.1}}
  two: {driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.2}}
)");
    const auto other = sys::reserve_port("tcp", "127.0.0.3", 18090);
    ASSERT_TRUE(other);
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-one-1", "Ports"), "127.0.0.1:18090->80/tcp");
    EXPECT_EQ(box.field("demo-two-1", "Ports"), "127.0.0.2:18090->80/tcp");
    EXPECT_TRUE(answers(box, "127.0.0.2:18090"));
    // And one that is taken is found there, before anything stops.
    const auto taken = sys::reserve_port("tcp", "127.0.0.3", 18091);
    ASSERT_TRUE(taken);
    const auto id = box.field("demo-one-1", "ID");
    write_sites(box, "  one: {<<: *site, stop_grace_period: 0s, ports: [\"18091:80\"], networks: [one]}\n",
                "networks: {one: {driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.3}}}\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("port 127.0.0.3:18091/tcp is already in use by"));
    EXPECT_EQ(box.field("demo-one-1", "ID"), id);
    EXPECT_EQ(box.field("demo-one-1", "State"), "running");
    box.ok({"down", "--remove-orphans"});
}

}  // namespace
}  // namespace compose::test
