// up, ps, stop, start, restart, down: what exists in the kernel after each, then what is printed.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwo = R"(
services:
  web:
    image: busybox
    command: sleep 1000
    depends_on: [db]
  db:
    image: busybox
    command: ["sleep", "1000"]
)";

TEST(Lifecycle, UpStartsDownRemoves) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_NE(box.pid_of("demo-web-1"), 0);
    EXPECT_NE(box.pid_of("demo-db-1"), 0);
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    EXPECT_EQ(box.field("demo-web-1", "Service"), "web");
    EXPECT_EQ(up.out, "");
    EXPECT_THAT(up.err, HasSubstr("Network demo_default"));
    EXPECT_THAT(up.err, HasSubstr("Container demo-web-1"));
    EXPECT_THAT(box.ok({"ps"}), HasSubstr("demo-web-1"));
    box.ok({"down", "-t", "0"});
    EXPECT_EQ(box.ps().size(), 0U);
    EXPECT_EQ(box.pid_of("demo-web-1"), 0);
}

TEST(Lifecycle, AnUnchangedUpDoesNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    box.ok({"up", "-d"});
    const int web = box.pid_of("demo-web-1");
    const auto id = box.field("demo-web-1", "ID");
    const auto again = box.compose({"up", "-d"});
    EXPECT_EQ(again.exit_code, 0);
    EXPECT_EQ(box.pid_of("demo-web-1"), web);
    EXPECT_EQ(box.field("demo-web-1", "ID"), id);
    EXPECT_THAT(again.err, HasSubstr("Running"));
}

TEST(Lifecycle, AChangedServiceIsRecreatedAndTheOtherKept) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    box.ok({"up", "-d"});
    const auto web = box.field("demo-web-1", "ID");
    const auto db = box.field("demo-db-1", "ID");
    box.write("compose.yaml", std::string(kTwo) + "    environment: {CHANGED: 'yes'}\n");
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_NE(box.field("demo-db-1", "ID"), db);
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    EXPECT_EQ(box.ps().size(), 2U);
}

TEST(Lifecycle, StopStartRestart) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    box.ok({"up", "-d"});
    box.ok({"stop", "-t", "0", "web"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited");
    EXPECT_EQ(box.field("demo-web-1", "ExitCode"), "137");
    EXPECT_EQ(box.field("demo-db-1", "State"), "running");
    EXPECT_THAT(box.ok({"ps"}), Not(HasSubstr("demo-web-1")));
    EXPECT_THAT(box.ok({"ps", "-a"}), HasSubstr("demo-web-1"));
    box.ok({"start"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    const int before = box.pid_of("demo-db-1");
    box.ok({"restart", "-t", "0", "db"});
    EXPECT_NE(box.pid_of("demo-db-1"), before);
    EXPECT_EQ(box.field("demo-db-1", "State"), "running");
}

TEST(Lifecycle, ExitCodeIsKept) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {one: {image: busybox, command: sh -c 'exit 42'}}\n");
    box.ok({"up", "-d"});
    EXPECT_TRUE(eventually([&] { return box.field("demo-one-1", "State") == "exited"; }));
    EXPECT_EQ(box.field("demo-one-1", "ExitCode"), "42");
    EXPECT_THAT(box.ok({"ps", "-a"}), HasSubstr("Exited (42)"));
}

TEST(Lifecycle, RestartPoliciesFollowDocker) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  always:
    image: busybox
    command: sh -c 'echo run >> /out/always; exit 0'
    restart: always
    volumes: ["./out:/out"]
  failure:
    image: busybox
    command: sh -c 'echo run >> /out/failure; exit 3'
    restart: on-failure:2
    volumes: ["./out:/out"]
  success:
    image: busybox
    command: sh -c 'echo run >> /out/success; exit 0'
    restart: on-failure
    volumes: ["./out:/out"]
)");
    box.ok({"up", "-d"});
    const auto runs = [&](const char* name) {
        return box.host({"grep", "-c", "run", box.path(std::string("out/") + name)}).out;
    };
    EXPECT_TRUE(eventually([&] { return runs("failure") == "3\n"; }));
    EXPECT_TRUE(eventually([&] { return runs("always") >= "4\n" || runs("always").size() > 2; }));
    EXPECT_EQ(runs("success"), "1\n");
    EXPECT_TRUE(eventually([&] { return box.field("demo-failure-1", "State") == "exited"; }));
    EXPECT_EQ(box.field("demo-failure-1", "ExitCode"), "3");
    box.ok({"stop", "-t", "0", "always"});
    EXPECT_EQ(box.field("demo-always-1", "State"), "exited");
}

TEST(Lifecycle, StopSignalAndGracePeriod) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  polite:
    image: busybox
    command: ["sh", "-c", "trap 'echo bye > /out/polite; exit 0' USR1; while :; do sleep 0.1; done"]
    stop_signal: SIGUSR1
    volumes: ["./out:/out"]
  stubborn:
    image: busybox
    command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
    stop_grace_period: 1s
)");
    box.ok({"up", "-d"});
    const auto started = std::chrono::steady_clock::now();
    box.ok({"stop"});
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    EXPECT_GE(seconds, 0.95);
    EXPECT_LE(seconds, 2.5);
    EXPECT_EQ(box.host({"cat", box.path("out/polite")}).out, "bye\n");
    EXPECT_EQ(box.field("demo-polite-1", "ExitCode"), "0");
    EXPECT_EQ(box.field("demo-stubborn-1", "ExitCode"), "137");
}

TEST(Lifecycle, DependsOnHealthyWaitsForTheProbe) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db:
    image: busybox
    command: ["sh", "-c", "sleep 0.7; touch /tmp/ready; sleep 1000"]
    healthcheck:
      test: ["CMD", "test", "-e", "/tmp/ready"]
      interval: 100ms
      retries: 100
  web:
    image: busybox
    command: ["sh", "-c", "echo started > /out/web; sleep 1000"]
    volumes: ["./out:/out"]
    depends_on: {db: {condition: service_healthy}}
)");
    const auto started = std::chrono::steady_clock::now();
    box.ok({"up", "-d"});
    EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(650));
    EXPECT_EQ(box.field("demo-db-1", "Health"), "healthy");
    EXPECT_TRUE(eventually([&] { return box.host({"cat", box.path("out/web")}).out == "started\n"; }));
    EXPECT_THAT(box.ok({"ps"}), HasSubstr("(healthy)"));
}

TEST(Lifecycle, AnUnhealthyDependencyIsAnError) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db:
    image: busybox
    command: ["sh", "-c", "echo cannot open the database; sleep 1000"]
    healthcheck: {test: ["CMD", "false"], interval: 50ms, retries: 2}
  web:
    image: busybox
    command: sleep 1000
    depends_on: {db: {condition: service_healthy}}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("dependency failed to start: container demo-db-1 is unhealthy"));
    EXPECT_THAT(error, HasSubstr("cannot open the database"));
    EXPECT_NE(box.field("demo-web-1", "State"), "running");
}

TEST(Lifecycle, CompletedSuccessfully) {
    REQUIRE_ROOT();
    Sandbox box;
    const char* text = R"(
services:
  migrate: {image: busybox, command: "sh -c 'sleep 0.2; exit CODE'"}
  web:
    image: busybox
    command: sleep 1000
    depends_on: {migrate: {condition: service_completed_successfully}}
)";
    const auto with = [&](const char* code) {
        std::string copy = text;
        copy.replace(copy.find("CODE"), 4, code);
        return copy;
    };
    box.write("compose.yaml", with("0"));
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    box.ok({"down", "-t", "0"});
    box.write("compose.yaml", with("7"));
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("service \"migrate\" didn't complete successfully: exit 7"));
}

TEST(Lifecycle, WaitTimesOut) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db:
    image: busybox
    command: sleep 1000
    healthcheck: {test: ["CMD", "false"], interval: 10s, start_period: 60s}
)");
    EXPECT_THAT(box.fails({"up", "-d", "--wait", "--wait-timeout", "1"}), HasSubstr("not healthy after 1s"));
}

TEST(Lifecycle, WaitSeesWhatEndsAtOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  bad: {image: busybox, command: "sh -c 'echo no database; exit 3'"}
  good: {image: busybox, command: sleep 1000}
)");
    const auto said = box.fails({"up", "-d", "--wait"});
    EXPECT_THAT(said, HasSubstr("container demo-bad-1 exited (3)"));
    EXPECT_THAT(said, HasSubstr("no database"));
    EXPECT_EQ(box.field("demo-good-1", "State"), "running");
    // Who needs a second try gets it.
    box.write("compose.yaml", R"(
services:
  slow: {image: busybox, command: "sh -c 'test -e /tried || { touch /tried; exit 3; }; exec sleep 1000'", restart: on-failure}
)");
    box.ok({"up", "-d", "-t", "0", "--wait", "--remove-orphans"});
    EXPECT_EQ(box.field("demo-slow-1", "State"), "running");
}

TEST(Lifecycle, ScaleUpAndDown) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {w: {image: busybox, command: sleep 1000}}\n");
    box.ok({"up", "-d", "--scale", "w=3"});
    EXPECT_EQ(box.ps().size(), 3U);
    box.ok({"up", "-d", "-t", "0", "--scale", "w=1"});
    EXPECT_EQ(box.ps().size(), 1U);
    EXPECT_EQ(box.field("demo-w-1", "State"), "running");
}

TEST(Lifecycle, OrphansAreNamedAndRemoved) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    box.ok({"up", "-d"});
    box.write("compose.yaml", "services: {db: {image: busybox, command: ['sleep', '1000']}}\n");
    EXPECT_THAT(box.compose({"up", "-d"}).err, HasSubstr("Found orphan containers ([demo-web-1]) for this project"));
    EXPECT_EQ(box.ps().size(), 2U);
    box.ok({"up", "-d", "-t", "0", "--remove-orphans"});
    EXPECT_EQ(box.ps().size(), 1U);
}

TEST(Lifecycle, TwoUpsAtOnceConverge) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    std::string script;
    for (int i = 0; i < 4; ++i) script += "\"$0\" up -d 2>/dev/null & p" + std::to_string(i) + "=$!; ";
    script += "r=0; for p in $p0 $p1 $p2 $p3; do wait $p || r=1; done; exit $r";
    sys::Command command{
        .argv = {"sh", "-c", script, COMPOSE_BINARY}, .environment = box.environment, .working_dir = box.folder()};
    EXPECT_EQ(sys::run_command(command).exit_code, 0);
    EXPECT_EQ(box.ps().size(), 2U);
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
}

TEST(Lifecycle, DownWithoutAnythingWarns) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    const auto result = box.compose({"down"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.err, HasSubstr("No resource found to remove for project \"demo\""));
}

TEST(Lifecycle, DownWorksWithoutTheFile) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kTwo);
    box.ok({"up", "-d"});
    std::filesystem::remove(box.path("compose.yaml"));
    box.ok({"-p", "demo", "down", "-t", "0"});
    EXPECT_EQ(box.ok({"-p", "demo", "ps", "-aq"}), "");
}

}  // namespace
}  // namespace compose::test
