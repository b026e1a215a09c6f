// The command line as a user meets it: exit codes, signals, terminals, pipes that close, output for programs.
#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A shell script in the sandbox's folder; $0 is compose.
Result script(const Sandbox& box, const std::string& text) {
    return sys::run_command({.argv = {"sh", "-c", text, COMPOSE_BINARY},
                             .environment = box.environment,
                             .working_dir = box.folder(),
                             .timeout = std::chrono::seconds(60)});
}

constexpr const char* kJobAndServer = R"(
services:
  job: {image: busybox, command: ["sh", "-c", "echo working; sleep 0.5; exit 3"]}
  server:
    image: busybox
    command: ["sh", "-c", "trap 'echo leaving; exit 0' TERM; while :; do sleep 0.1; done"]
)";

TEST(Cli, ExitCodesOfAForegroundUp) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kJobAndServer);
    const struct {
        std::vector<std::string> flags;
        int code;
    } cases[] = {
        {{"--abort-on-container-exit"}, 3},  {{"--abort-on-container-failure"}, 3},
        {{"--exit-code-from", "job"}, 3},    {{"--abort-on-container-failure", "--exit-code-from", "server"}, 0},
        {{"--exit-code-from", "server"}, 0}, {{"job"}, 0}};
    for (const auto& [flags, code] : cases) {
        std::vector<std::string> words{"up"};
        words.insert(words.end(), flags.begin(), flags.end());
        const auto result = box.compose(words);
        EXPECT_EQ(result.exit_code, code) << flags[0] << result.err;
        EXPECT_THAT(result.out, HasSubstr("job-1"));
        EXPECT_THAT(result.out, HasSubstr("exited with code 3\n"));
        // Lines of an earlier run do not come again.
        EXPECT_EQ(result.out.find("working"), result.out.rfind("working")) << result.out;
        EXPECT_EQ(result.out.find("leaving") != std::string::npos, flags[0] != "job") << result.out;
    }
}

TEST(Cli, AForegroundUpShowsWhatIsAskedFor) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kJobAndServer);
    const auto plain = box.compose({"up", "--no-log-prefix", "--abort-on-container-exit", "--no-attach", "server"});
    EXPECT_EQ(plain.out, "working\njob-1 exited with code 3\n");
    const auto other = box.compose({"up", "--attach", "server", "--exit-code-from", "job"});
    EXPECT_THAT(other.out, Not(HasSubstr("working")));
    EXPECT_THAT(other.out, HasSubstr("server-1  | leaving"));
    EXPECT_EQ(other.exit_code, 3);
}

TEST(Cli, AForegroundUpThatCannotStartMakesNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 100}
  b: {image: busybox, command: sleep 100, depends_on: {a: {condition: service_healthy}}}
)");
    EXPECT_THAT(box.fails({"up"}), HasSubstr("compose.yaml:4:"));
    EXPECT_TRUE(box.ps().empty());
}

TEST(Cli, TheSecondInterruptKills) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  stubborn:
    image: busybox
    command: ["sh", "-c", "trap '' TERM INT; echo ready; while :; do sleep 0.1; done"]
    stop_grace_period: 1m
)");
    const auto result = script(box, R"("$0" up > out 2> err & p=$!
for i in $(seq 400); do grep -q ready out && break; sleep 0.05; done
kill -INT $p
for i in $(seq 400); do grep -q Stopping err && break; sleep 0.05; done
kill -INT $p; wait $p; echo "exit $?"; cat out err)");
    EXPECT_THAT(result.out, HasSubstr("exit 130\n"));
    EXPECT_THAT(result.out, HasSubstr("stubborn-1 exited with code 137\n"));
    EXPECT_EQ(box.field("demo-stubborn-1", "State"), "exited");
}

TEST(Cli, AnInterruptedUpIsContinuedByTheNext) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  slow:
    image: busybox
    command: sleep 1000
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ok"], interval: 200ms, retries: 1000}
  late: {image: busybox, command: sleep 1000, depends_on: {slow: {condition: service_healthy}}}
)");
    const auto result = script(box, R"("$0" --progress plain up -d 2> err & p=$!
for i in $(seq 400); do grep -q Waiting err && break; sleep 0.05; done
kill -TERM $p; wait $p; echo "exit $?"; cat err)");
    EXPECT_THAT(result.out, HasSubstr("exit 130\n"));
    EXPECT_THAT(result.out, HasSubstr("canceled\n"));
    EXPECT_EQ(box.field("demo-late-1", "State"), "created");
    box.ok({"exec", "-T", "slow", "touch", "/tmp/ok"});
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-late-1", "State"), "running");
}

TEST(Cli, EndsQuietlyWhenNobodyReads) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {a: {image: busybox, command: [\"sh\", \"-c\", \"yes | head -n 200000\"]}}\n");
    (void)box.compose({"up"});
    const auto result = script(box, R"({ "$0" logs; echo "exit $?" >&2; } | head -n 1)");
    EXPECT_EQ(result.out, "a-1  | y\n");
    EXPECT_EQ(result.err, "exit 141\n");
}

TEST(Cli, LogsAreMergedByTimeAndCut) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: ["sh", "-c", "echo 1; sleep 0.4; echo 3; sleep 0.4; echo 5"]}
  b: {image: busybox, command: ["sh", "-c", "sleep 0.2; echo 2; sleep 0.4; echo 4"]}
)");
    (void)box.compose({"up"});
    EXPECT_EQ(box.ok({"logs", "--no-log-prefix"}), "1\n2\n3\n4\n5\n");
    EXPECT_EQ(box.ok({"logs", "--tail", "1"}), "b-1  | 4\na-1  | 5\n");
    EXPECT_EQ(box.ok({"logs", "-n", "0"}), "");
    EXPECT_EQ(box.ok({"logs", "-f", "--no-log-prefix", "b"}), "2\n4\n");
    EXPECT_EQ(box.ok({"logs", "--since", "2030-01-01T00:00:00Z"}), "");
    EXPECT_EQ(box.ok({"logs", "--until", "2020-01-01"}), "");
    EXPECT_EQ(box.ok({"logs", "--since", "10m", "--no-log-prefix", "a"}), "1\n3\n5\n");
    EXPECT_THAT(box.ok({"logs", "-t", "--tail", "1", "a"}), testing::MatchesRegex("a-1  \\| 20.*T.*Z 5\n"));
    EXPECT_THAT(box.fails({"logs", "c"}), HasSubstr("no such service: c"));
}

TEST(Cli, TheUsersTerminalNeverGoesIntoAContainer) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    box.ok({"up", "-d"});
    const auto result =
        script(box, R"(script -qec "$0 exec -T web sh -c 'tty; readlink /proc/self/fd/0; exit 4'" /dev/null; echo $?)");
    EXPECT_THAT(result.out, HasSubstr("not a tty"));
    EXPECT_THAT(result.out, HasSubstr("pipe:"));
    EXPECT_THAT(result.out, HasSubstr("4\n"));
    // A file of the host is a pipe inside, too: it could be opened again for writing.
    const auto file = script(box, R"(echo text > file; "$0" exec -T web readlink /proc/self/fd/0 < file)");
    EXPECT_THAT(file.out, HasSubstr("pipe:"));
}

TEST(Cli, RunPassesUserSignalsOn) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {one: {image: busybox}}\n");
    const auto result = script(box, R"(
"$0" run --rm -T one sh -c "trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done" >log </dev/null & run=$!
for i in $(seq 300); do grep -q ready log && break; sleep 0.1; done
kill -USR1 $run
wait $run)");
    EXPECT_EQ(result.exit_code, 7) << result.err;
    EXPECT_TRUE(box.ps().empty()) << "the client lived on and removed it";
    box.ok({"down"});
}

TEST(Cli, ExecAsksForATerminalWhereThereIsNone) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {one: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-it", "one", "sh", "-c", "test -t 1 || echo none"}), "none\n");
    EXPECT_EQ(box.ok({"exec", "-t", "-T", "one", "echo", "x"}), "x\n");
}

TEST(Cli, ExecPassesSignalsOnAndDoesNotWaitForBackgroundWork) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    box.ok({"up", "-d"});
    const auto result =
        script(box, R"("$0" exec -T web sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' > out & p=$!
for i in $(seq 400); do grep -q ready out && break; sleep 0.05; done
kill -TERM $p; wait $p; echo "exit $?")");
    EXPECT_EQ(result.out, "exit 9\n");
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(box.ok({"exec", "-T", "web", "sh", "-c", "sleep 30 & echo done"}), "done\n");
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat"}, std::string(3'000'000, 'x')), std::string(3'000'000, 'x'));
}

TEST(Cli, SpeaksJsonToPrograms) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    const auto up = box.compose({"--progress", "json", "up", "-d"});
    EXPECT_EQ(up.exit_code, 0);
    EXPECT_THAT(up.err, HasSubstr(R"({"id":"Container demo-web-1","status":"Done","text":"Started"})"));
    const auto missing = box.compose({"--progress", "json", "exec", "nosuch", "true"});
    EXPECT_THAT(missing.err, HasSubstr(R"({"error":true,"message":"no such service: nosuch")"));
    box.write("bad.yaml", "services: {web: {imag: busybox}}\n");
    const auto bad = box.compose({"-f", "bad.yaml", "--progress", "json", "up", "-d"});
    EXPECT_THAT(bad.err, HasSubstr(R"("line":1)"));
    EXPECT_THAT(bad.err, HasSubstr(R"("hint":"did you mean \"image\"?")"));
    EXPECT_EQ(box.compose({"--progress", "quiet", "up", "-d", "--force-recreate", "-t", "0"}).err, "");
}

TEST(Cli, ReadsTheFileFromStandardInput) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string text = "name: piped\nservices: {web: {image: busybox, command: sleep 1000}}\n";
    box.ok({"-f", "-", "up", "-d"}, text);
    EXPECT_EQ(box.ok({"-p", "piped", "ps", "--services"}), "web\n");
    box.ok({"-f", "-", "down", "-t", "0"}, text);
    EXPECT_EQ(box.ok({"-p", "piped", "ps", "-aq"}), "");
}

}  // namespace
}  // namespace compose::test
