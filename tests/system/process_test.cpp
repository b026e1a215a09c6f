// What runs inside: exec, logs, users, init, attributes, foreground up and its signals.
#include <csignal>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kOne = "services: {web: {image: busybox, command: sleep 1000}}\n";

TEST(Process, ExecPassesStreamsAndExitCodes) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1000, environment: {A: one}, user: web}}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat"}, "through standard input\n"), "through standard input\n");
    const auto both = box.compose({"exec", "-T", "web", "sh", "-c", "echo out; echo err >&2; exit 7"});
    EXPECT_EQ(both.exit_code, 7);
    EXPECT_EQ(both.out, "out\n");
    EXPECT_EQ(both.err, "err\n");
    EXPECT_EQ(box.ok({"exec", "-T", "web", "id", "-u"}), "1000\n");
    EXPECT_EQ(box.ok({"exec", "-T", "-u", "0", "web", "id", "-u"}), "0\n");
    EXPECT_EQ(box.ok({"exec", "-T", "-w", "/tmp", "-e", "B=two", "web", "sh", "-c", "pwd; echo $A $B"}),
              "/tmp\none two\n");
    EXPECT_EQ(box.compose({"exec", "-T", "web", "sh", "-c", "kill -9 $$"}).exit_code, 137);
    EXPECT_THAT(box.fails({"exec", "-T", "web", "nosuch"}, 127), HasSubstr("nosuch"));
    EXPECT_THAT(box.fails({"exec", "-T", "web", "/etc/passwd"}, 126), HasSubstr("permission denied"));
    EXPECT_THAT(box.fails({"exec", "-T", "db", "true"}), HasSubstr("db"));
    box.ok({"stop", "-t", "0"});
    EXPECT_THAT(box.fails({"exec", "-T", "web", "true"}), HasSubstr("service \"web\" is not running"));
}

TEST(Process, ExecWithATerminal) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kOne);
    box.ok({"up", "-d"});
    sys::Command command{
        .argv = {"script", "-qec", std::string(COMPOSE_BINARY) + " exec web sh -c 'tty; stty size'", "/dev/null"},
        .environment = box.environment,
        .working_dir = box.folder(),
        .timeout = std::chrono::seconds(20)};
    const auto result = sys::run_command(command);
    EXPECT_THAT(result.out, HasSubstr("/dev/pts/"));
    EXPECT_EQ(result.exit_code, 0);
}

TEST(Process, ACommandThatCannotRun) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: nosuch --flag}}\n");
    EXPECT_THAT(box.fails({"up", "-d"}, 127), HasSubstr("\"nosuch\": executable file not found in $PATH"));
    box.write("compose.yaml", "services: {web: {image: busybox, command: /etc/passwd}}\n");
    EXPECT_THAT(box.fails({"up", "-d"}, 126), HasSubstr("permission denied"));
}

TEST(Process, LogsAreKeptInOrderPerStreamWithPrefixes) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: "sh -c 'seq 1 50; echo problem >&2; printf unfinished'"}
  longer: {image: busybox, command: "echo hello"}
)");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually(
        [&] { return box.field("demo-a-1", "State") == "exited" && box.field("demo-longer-1", "State") == "exited"; }));
    const auto text = box.ok({"logs", "--no-color"});
    EXPECT_THAT(text, HasSubstr("a-1       | 50\n"));
    EXPECT_THAT(text, HasSubstr("longer-1  | hello\n"));
    EXPECT_THAT(text, HasSubstr("a-1       | problem\n")) << "so that grep finds it, whichever stream it came by";
    EXPECT_EQ(box.compose({"logs", "--no-color"}).err, "");
    const auto plain = box.ok({"logs", "--no-log-prefix", "--no-color", "--tail", "2", "a"});
    EXPECT_THAT(plain, HasSubstr("unfinished"));
    EXPECT_THAT(plain, Not(HasSubstr("49")));
    EXPECT_THAT(box.ok({"logs", "-t", "longer"}), testing::ContainsRegex("20[0-9-]+T[0-9:.]+Z hello"));
    EXPECT_THAT(box.fails({"logs", "nosuch"}), HasSubstr("no such service: nosuch"));
}

TEST(Process, LogsFollowUntilTheEnd) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {a: {image: busybox, command: \"sh -c 'echo one; sleep 0.5; echo two'\"}}\n");
    box.ok({"up", "-d"});
    const auto text = box.ok({"logs", "-f", "--no-log-prefix", "--no-color"});
    EXPECT_EQ(text, "one\ntwo\n");
}

TEST(Process, ForegroundUpPrintsLogsAndStopsOnInterrupt) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {a: {image: busybox, command: \"sh -c 'trap \\\"echo leaving; exit 0\\\" TERM; echo ready; "
              "while :; do sleep 0.1; done'\"}}\n");
    const auto script = R"("$0" --ansi never up > out 2> err & p=$!
for i in $(seq 200); do grep -q ready out && break; sleep 0.05; done
kill -INT $p; wait $p; echo "exit $?")";
    sys::Command command{.argv = {"sh", "-c", script, COMPOSE_BINARY},
                         .environment = box.environment,
                         .working_dir = box.folder(),
                         .timeout = std::chrono::seconds(30)};
    const auto result = sys::run_command(command);
    const auto out = box.host({"cat", box.path("out")}).out;
    const auto err = box.host({"cat", box.path("err")}).out;
    EXPECT_THAT(out, HasSubstr("a-1  | ready\n")) << err;
    EXPECT_THAT(out, HasSubstr("a-1  | leaving\n")) << err;
    EXPECT_THAT(out + err, HasSubstr("Gracefully"));
    EXPECT_THAT(out + err, HasSubstr("a-1 exited with code 0"));
    EXPECT_EQ(result.out, "exit 130\n");
    EXPECT_EQ(box.field("demo-a-1", "State"), "exited");
}

TEST(Process, AttributesTakeEffect) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("web.env", "FROM_FILE=file\nBOTH=file\n");
    box.write(".env", "INTERPOLATED=from-dotenv\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    entrypoint: ["sleep"]
    command: ["1000"]
    container_name: fixed
    hostname: named
    domainname: example.test
    working_dir: /srv/made
    user: "web"
    init: true
    env_file: web.env
    environment: {BOTH: direct, VALUE: "${INTERPOLATED}"}
    labels: {my.label: x}
    extra_hosts: ["gateway.test:192.0.2.1"]
    ulimits: {nofile: {soft: 100, hard: 200}}
    sysctls: {net.ipv4.ip_default_ttl: 77}
    cap_drop: [ALL]
    shm_size: 1m
)");
    box.ok({"up", "-d"});
    const auto in = [&](const char* script) { return box.ok({"exec", "-T", "web", "sh", "-c", script}); };
    EXPECT_EQ(in("echo $FROM_FILE $BOTH $VALUE"), "file direct from-dotenv\n");
    EXPECT_EQ(in("hostname"), "named\n");
    EXPECT_EQ(in("pwd"), "/srv/made\n");
    EXPECT_EQ(in("id -u; id -G"), "1000\n1000 2000\n");
    EXPECT_EQ(in("ulimit -Sn; ulimit -Hn"), "100\n200\n");
    EXPECT_EQ(in("cat /proc/sys/net/ipv4/ip_default_ttl"), "77\n");
    EXPECT_THAT(in("cat /etc/hosts"), HasSubstr("192.0.2.1"));
    EXPECT_THAT(in("grep CapBnd /proc/self/status"), HasSubstr("0000000000000000"));
    EXPECT_THAT(box.field("fixed", "Labels"), HasSubstr("my.label"));
    EXPECT_THAT(box.field("fixed", "Labels"), HasSubstr("com.docker.compose.service=web"));
}

TEST(Process, InitReapsZombies) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    init: true
    command: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0 &); done; exec sleep 1000"]
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(eventually([&] {
        return box.ok({"exec", "-T", "web", "sh", "-c",
                       "grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l"}) == "0\n";
    }));
    box.ok({"stop", "-t", "5"});
    EXPECT_EQ(box.field("demo-web-1", "ExitCode"), "143");
}

}  // namespace
}  // namespace compose::test
