// A network whose definition changed is made anew under its containers, which stay what they are.
#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/traffic.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kServices = R"(
services:
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, volumes: [/anonymous],
       extra_hosts: ["me:host-gateway"]}
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [db],
        networks: {default: {mac_address: "02:42:00:00:00:77"}}}
  side: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: "service:db"}
  job: {image: busybox, command: echo done}
)";

void write(const Sandbox& box, const std::string& network) {
    box.write("compose.yaml", kServices + ("networks: {default: " + network + "}\n"));
}

std::map<std::string, std::string> ids(const Sandbox& box) {
    std::map<std::string, std::string> result;
    for (const char* name : {"demo-db-1", "demo-web-1", "demo-side-1", "demo-job-1"})
        result[name] = box.field(name, "ID");
    return result;
}

void wait_for_job(const Sandbox& box) {
    ASSERT_TRUE(eventually([&] { return box.field("demo-job-1", "State") == "exited"; }));
}

TEST(NetworkChange, ContainersStayWhatTheyAre) {
    REQUIRE_ROOT();
    Sandbox box;
    write(box, "{}");
    box.ok({"up", "-d"});
    wait_for_job(box);
    const auto before = ids(box);
    in(box, "db", "echo layer > /file; echo volume > /anonymous/file");
    write(box, "{ipam: {config: [{subnet: 10.71.0.0/24}]}}");
    EXPECT_EQ(box.compose({"plan"}).out, R"(~ replace Network demo_default: config changed
    ipam: added {"config":[{"subnet":"10.71.0.0/24"}]}
> restart Container demo-db-1: network demo_default changed
> restart Container demo-side-1: namespace of db renewed
> restart Container demo-web-1: network demo_default changed
)");
    EXPECT_THAT(box.compose({"up", "-d", "--dry-run"}).err,
                HasSubstr("DRY-RUN MODE -  Network demo_default Removed\n"));
    EXPECT_EQ(box.field("demo-db-1", "State"), "running");
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, AllOf(HasSubstr("Network demo_default Removed\n Network demo_default Creating"),
                              HasSubstr("Container demo-db-1 Stopped"), HasSubstr("Container demo-db-1 Started"),
                              Not(HasSubstr("Recreate")), Not(HasSubstr("demo-job-1 Start"))));
    EXPECT_EQ(ids(box), before);
    EXPECT_EQ(in(box, "db", "cat /file /anonymous/file"), "layer\nvolume\n");
    EXPECT_THAT(address_of(box, "db"), testing::StartsWith("10.71.0."));
    EXPECT_THAT(in(box, "db", "cat /etc/hosts"), AllOf(HasSubstr("10.71.0.1\tme\n"), Not(HasSubstr("172."))));
    EXPECT_EQ(in(box, "web", "cat /sys/class/net/eth0/address"), "02:42:00:00:00:77\n");
    EXPECT_TRUE(reaches(box, "side", "web"));
    EXPECT_TRUE(reaches(box, "web", "db"));
    EXPECT_EQ(box.ok({"plan"}), "nothing to do\n");
    // The job has a place too, should it be started.
    EXPECT_THAT(box.ok({"up", "-d", "--rerun"}), "");
    wait_for_job(box);
    EXPECT_EQ(ids(box), before);
}

TEST(NetworkChange, OfLabelsStopsNobody) {
    REQUIRE_ROOT();
    Sandbox box;
    write(box, "{labels: {a: one}}");
    box.ok({"up", "-d"});
    wait_for_job(box);
    const int pid = box.pid_of("demo-db-1");
    const auto id = box.ok({"network", "inspect", "-f", "{{.Id}}", "demo_default"});
    write(box, "{labels: {a: two}, x-note: \"for somebody else\"}");
    EXPECT_EQ(box.compose({"plan"}).out,
              "~ update Network demo_default: labels changed\n    labels.a: \"one\" -> \"two\"\n");
    EXPECT_THAT(box.compose({"up", "-d"}).err, HasSubstr("Network demo_default Updated"));
    EXPECT_EQ(box.pid_of("demo-db-1"), pid);
    EXPECT_EQ(box.ok({"network", "inspect", "-f", "{{.Id}}", "demo_default"}), id);
    EXPECT_THAT(box.ok({"network", "inspect", "demo_default"}), HasSubstr("\"a\": \"two\""));
    EXPECT_EQ(box.ok({"plan"}), "nothing to do\n");
}

TEST(NetworkChange, InTheForegroundToo) {
    REQUIRE_ROOT();
    Sandbox box;
    write(box, "{}");
    box.ok({"up", "-d"});
    wait_for_job(box);
    const auto before = ids(box);
    write(box, "{driver_opts: {com.docker.network.driver.mtu: \"1400\"}}");
    const Background up(box, {COMPOSE_BINARY, "up", "web"}, box.path("up.out"));
    ASSERT_TRUE(eventually([&] {
        return box.compose({"exec", "-T", "side", "cat", "/sys/class/net/eth0/mtu"}).out == "1400\n" &&
               box.compose({"exec", "-T", "web", "cat", "/sys/class/net/eth0/mtu"}).out == "1400\n";
    })) << sys::read_file(box.path("up.out"));
    EXPECT_EQ(ids(box), before);
}

TEST(NetworkChange, AFixedAddressThatNoLongerFitsStopsNobody) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const std::string& address, const std::string& subnet) {
        box.write("compose.yaml", R"(services:
  db:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    networks:
      default: {ipv4_address: )" + address +
                                      R"(}
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
networks: {default: {ipam: {config: [{subnet: )" +
                                      subnet + "}]}}}\n");
    };
    file("10.71.0.9", "10.71.0.0/24");
    box.ok({"up", "-d"});
    const int pid = box.pid_of("demo-db-1");
    const auto web = box.field("demo-web-1", "ID"), db = box.field("demo-db-1", "ID");
    file("10.71.0.9", "10.72.0.0/24");
    for (const auto& command : {std::vector<std::string>{"up", "-d"}, {"plan"}, {"up"}})
        EXPECT_THAT(box.fails(command),
                    HasSubstr("compose.yaml:7:7: error: services.db.networks.default: address 10.71.0.9 is not in "
                              "network demo_default (10.72.0.0/24)"));
    file("10.72.0.9", "10.72.0.0/24");  // but who is not asked for has the old one
    EXPECT_THAT(box.fails({"up", "-d", "web"}),
                AllOf(HasSubstr("networks.default: container demo-db-1: address 10.71.0.9 is not a host address")));
    EXPECT_EQ(box.pid_of("demo-db-1"), pid);
    box.ok({"up", "-d"});
    EXPECT_NE(box.field("demo-db-1", "ID"), db);  // its own definition changed
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    EXPECT_EQ(address_of(box, "db"), "10.72.0.9");
    // One that fits still is kept, and nobody else gets it.
    file("10.72.0.9", "10.72.0.0/28");
    box.ok({"up", "-d"});
    EXPECT_EQ(address_of(box, "db"), "10.72.0.9");
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
}

TEST(NetworkChange, OfWhatOthersUse) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string sleeper = "{image: busybox, command: sleep 1000, stop_grace_period: 0s}";
    box.write("compose.yaml", "services: {web: " + sleeper + ", old: " + sleeper + "}\n");
    box.ok({"up", "-d"});
    box.ok({"run", "-d", "--name", "once", "web", "echo", "done"});
    ASSERT_TRUE(eventually([&] { return box.field("once", "State") == "exited"; }));
    const auto old = box.field("demo-old-1", "ID");
    box.write("compose.yaml", "services: {web: " + sleeper + "}\nnetworks: {default: {internal: true}}\n");
    box.ok({"run", "-d", "--no-deps", "--name", "runs", "web", "sleep", "1000"});
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("the one-off container runs uses it"));
    box.ok({"container", "rm", "-f", "runs"});
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-old-1", "ID"), old);
    EXPECT_EQ(box.field("demo-old-1", "State"), "running");
    EXPECT_EQ(box.ok({"container", "exec", "demo-old-1", "ip", "route"}).find("default"), std::string::npos);
    EXPECT_TRUE(reaches(box, "web", "old"));
    box.ok({"container", "start", "once"});
    // One of another project keeps it as it is.
    box.ok({"container", "run", "-d", "--name", "other", "--network", "demo_default", "busybox", "sleep", "1000"});
    box.write("compose.yaml", "services: {web: " + sleeper + "}\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("container other of another project uses it"));
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    box.ok({"container", "rm", "-f", "other"});
    box.ok({"down", "--remove-orphans"});
}

}  // namespace
}  // namespace compose::test
