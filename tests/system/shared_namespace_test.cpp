// Containers in the namespaces of others: what becomes of them when those are replaced, stopped or started.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/traffic.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void write(const Sandbox& box, const std::string& more = {}) {
    const std::string sleeper = "{image: busybox, command: sleep 1000, stop_grace_period: 0s";
    box.write("compose.yaml",
              "services:\n"
              "  db:\n    image: busybox\n    restart: always\n    stop_grace_period: 0s\n"
              "    command: [\"sh\", \"-c\", \"while [ ! -e /die ]; do sleep 0.05; done; rm /die; exit 3\"]\n"
              "    ipc: shareable\n" +
                  more + "  net: " + sleeper + ", network_mode: 'service:db'}\n" +  //
                  "  pid: " + sleeper + ", pid: 'service:db', depends_on: {db: {condition: service_started}}}\n" +
                  "  ipc: " + sleeper + ", ipc: 'service:db'}\n" +  //
                  "  web: " + sleeper + "}\n");
}

std::string ns(const Sandbox& box, const std::string& service, const char* kind) {
    const auto pid = box.pid_of("demo-" + service + "-1");
    return pid == 0 ? "" : stripped(box.host({"readlink", "/proc/" + std::to_string(pid) + "/ns/" + kind}).out);
}

bool together(const Sandbox& box, const std::string& service, const char* kind) {
    const auto mine = ns(box, service, kind);
    return !mine.empty() && mine == ns(box, "db", kind);
}

TEST(SharedNamespaces, ARecreatedOwnerRecreatesThem) {
    REQUIRE_ROOT();
    Sandbox box;
    write(box);
    box.ok({"up", "-d"});
    std::map<std::string, std::string> before;
    for (const char* service : {"db", "net", "pid", "ipc", "web"})
        before[service] = box.field("demo-" + std::string(service) + "-1", "ID");
    write(box, "    environment: {A: b}\n");
    EXPECT_THAT(box.compose({"plan"}).out,
                AllOf(HasSubstr("~ replace Container demo-net-1: namespace of db replaced\n"),
                      HasSubstr("~ replace Container demo-pid-1: namespace of db replaced\n"),
                      HasSubstr("~ replace Container demo-ipc-1: namespace of db replaced\n"), Not(HasSubstr("web"))));
    EXPECT_THAT(box.compose({"up", "-d"}).err, HasSubstr("Container demo-net-1 Recreated"));
    for (const char* service : {"db", "net", "pid", "ipc"}) {
        EXPECT_NE(box.field("demo-" + std::string(service) + "-1", "ID"), before[service]) << service;
        EXPECT_TRUE(service == std::string("db") || together(box, service, service)) << service;
    }
    EXPECT_EQ(box.field("demo-web-1", "ID"), before["web"]);
    EXPECT_TRUE(reaches(box, "net", "web"));
    EXPECT_EQ(box.ok({"plan"}), "nothing to do\n");
    // Who is not asked for follows as it is.
    const auto id = box.field("demo-net-1", "ID");
    box.ok({"up", "-d", "--force-recreate", "db"});
    EXPECT_EQ(box.field("demo-net-1", "ID"), id);
    EXPECT_TRUE(together(box, "net", "net"));
    EXPECT_TRUE(reaches(box, "net", "web"));
}

TEST(SharedNamespaces, AnOwnerIsFoundWhicheverWayItIsUpdated) {
    REQUIRE_ROOT();
    Sandbox box;
    for (const char* update : {"order: start-first, monitor: 100ms", "failure_action: rollback, monitor: 100ms",
                               "order: start-first, failure_action: rollback, monitor: 100ms"}) {
        const auto deploy = [&](const char* value) {
            write(box,
                  std::string("    deploy: {update_config: {") + update + "}}\n    environment: {A: " + value + "}\n");
        };
        deploy("one");
        box.ok({"up", "-d"});
        const auto id = box.field("demo-db-1", "ID");
        deploy("two");
        box.ok({"up", "-d"});
        EXPECT_NE(box.field("demo-db-1", "ID"), id);
        for (const char* service : {"net", "pid", "ipc"})
            EXPECT_TRUE(together(box, service, service)) << service << ": " << update;
    }
}

TEST(SharedNamespaces, AnOwnerThatStartsAgainTakesThemAlong) {
    REQUIRE_ROOT();
    Sandbox box;
    write(box);
    box.ok({"up", "-d"});
    const auto id = box.field("demo-net-1", "ID");
    const auto follow = [&] {
        return eventually([&] {
            return together(box, "net", "net") && together(box, "ipc", "ipc") &&
                   box.field("demo-net-1", "State") == "running";  // else `exec` takes the one-off
        });
    };
    // One that somebody uses by hand is left alone.
    const Background by_hand(box, {COMPOSE_BINARY, "run", "-T", "--no-deps", "--name", "hand", "net", "sleep", "1000"},
                             box.path("hand.out"));
    ASSERT_TRUE(eventually([&] { return box.pid_of("hand") != 0; }));
    const int hand = box.pid_of("hand");
    box.ok({"restart", "-t", "0", "db"});
    EXPECT_TRUE(follow());
    box.ok({"stop", "-t", "0", "db"});
    box.ok({"start", "db"});
    EXPECT_TRUE(follow());
    EXPECT_TRUE(reaches(box, "net", "web"));
    const auto before = ns(box, "db", "net");
    box.ok({"exec", "-T", "db", "touch", "/die"});
    ASSERT_TRUE(eventually([&] { return !ns(box, "db", "net").empty() && ns(box, "db", "net") != before; }));
    ::kill(box.resident_pid("supervisor"), SIGKILL);  // which was about to see to it
    EXPECT_TRUE(follow());
    EXPECT_EQ(box.pid_of("hand"), hand);
    // The command that starts it says so.
    box.ok({"stop", "-t", "0", "db"});
    EXPECT_THAT(box.compose({"plan"}).out, AllOf(HasSubstr("> restart Container demo-net-1: namespace of db renewed\n"),
                                                 HasSubstr("> start Container demo-db-1\n")));
    box.ok({"up", "-d"});
    for (const char* service : {"net", "pid", "ipc"}) EXPECT_TRUE(together(box, service, service)) << service;
    EXPECT_EQ(box.field("demo-net-1", "ID"), id);
    box.ok({"container", "rm", "-f", "hand"});
}

TEST(SharedNamespaces, AnOwnerThatComesAndGoesIsFollowedWhenItStays) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db:
    image: busybox
    restart: always
    command: ["sh", "-c", "[ -e /work/flaps ] && { sleep 0.7; exit 1; }; exec sleep 1000"]
    volumes: ["./work:/work"]
    stop_grace_period: 0s
  net:
    image: busybox
    command: ["sh", "-c", "trap '' TERM; sleep 1000"]
    network_mode: service:db
    stop_grace_period: 1s
)");
    box.write("work/none", "");
    box.ok({"up", "-d"});
    const auto id = box.field("demo-net-1", "ID");
    const int first = box.pid_of("demo-net-1");
    box.write("work/flaps", "");
    box.ok({"restart", "--no-deps", "-t", "0", "db"});
    ASSERT_TRUE(eventually([&] { return box.pid_of("demo-net-1") != first; }));
    std::filesystem::remove(box.path("work/flaps"));
    EXPECT_TRUE(eventually([&] { return together(box, "net", "net"); }, std::chrono::seconds(20)));
    EXPECT_EQ(box.field("demo-net-1", "ID"), id);
}

}  // namespace
}  // namespace compose::test
