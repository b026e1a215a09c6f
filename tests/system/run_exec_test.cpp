// What `run`, `exec`, `kill` and `restart` owe to scripts.
#include <csignal>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(RunExec, VariablesWithoutAValueComeFromDotEnvToo) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write(".env", "KNOWN=from the file\nBOTH=file\n");
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    box.environment["BOTH"] = "shell";
    box.ok({"up", "-d"});
    const std::string script = "echo $KNOWN, $BOTH, ${NOWHERE-unset}";
    for (const auto& verb : std::vector<std::vector<std::string>>{{"exec", "-T"}, {"run", "--rm", "-T"}}) {
        auto words = verb;
        for (const char* name : {"KNOWN", "BOTH", "NOWHERE"}) words.insert(words.end(), {"-e", name});
        words.insert(words.end(), {"web", "sh", "-c", script});
        EXPECT_EQ(box.ok(words), "from the file, shell, unset\n");
    }
    // Scripts ask for a terminal where there is none.
    EXPECT_EQ(box.ok({"exec", "-it", "web", "echo", "hello"}), "hello\n");
}

TEST(RunExec, SettingsMayStandInDotEnv) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    box.write(".env", "COMPOSE_PARALLEL_LIMIT=many\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("COMPOSE_PARALLEL_LIMIT is \"many\""));
    const auto state = box.path("elsewhere");
    box.write(".env", "COMPOSE_COMPATIBILITY=1\nCOMPOSE_REMOVE_ORPHANS=1\nCOMPOSE_STATE_DIR=" + state + "\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo_web_1", "State"), "running");
    EXPECT_FALSE(box.host({"test", "-e", state}).ok()) << "root's state is where root says";
    box.write("compose.yaml", "services: {other: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ps().size(), 1U) << "the orphan went";
}

TEST(RunExec, PostStartHooksRun) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    stop_grace_period: 0s
    post_start: [{command: [sh, -c, "echo hooked > /tmp/hook"]}]
)");
    const std::string wait = "until cat /tmp/hook 2>/dev/null; do sleep 0.05; done";
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "web", "sh", "-c", wait}), "hooked\n");
    box.ok({"run", "-d", "--name", "behind", "web", "sleep", "1000"});
    EXPECT_EQ(box.ok({"container", "exec", "behind", "cat", "/tmp/hook"}), "hooked\n");
    box.ok({"down", "--remove-orphans", "-t", "0"});
}

TEST(RunExec, UserSignalsReachTheContainer) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox}}\n");
    const std::string out = box.path("run.out");
    const Background run(box,
                         {COMPOSE_BINARY, "run", "--rm", "-T", "web", "sh", "-c",
                          "trap 'echo got it; exit 0' USR1; echo ready; while :; do sleep 0.05; done"},
                         out);
    ASSERT_TRUE(eventually([&] { return text_of(out).find("ready") != std::string::npos; }));
    ASSERT_EQ(::kill(run.pid(), SIGUSR1), 0);
    EXPECT_TRUE(eventually([&] { return text_of(out).find("got it") != std::string::npos; })) << text_of(out);
    EXPECT_TRUE(eventually([&] { return box.ps().empty(); })) << "--rm was kept to";
}

TEST(RunExec, ListsAndColors) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  done: {image: busybox, command: "true"}
)");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return box.field("demo-done-1", "State") == "exited"; }));
    EXPECT_THAT(box.ok({"ls", "--format", "json"}), HasSubstr("\"running(1)\""));
    EXPECT_THAT(box.ok({"ls", "-a", "--format", "json"}), HasSubstr("exited(1), running(1)"));
    box.ok({"pause", "web"});
    EXPECT_THAT(box.ok({"ls", "--format", "json"}), HasSubstr("\"paused(1)\""));
    box.ok({"unpause", "web"});
    const auto colored = [&] {
        return box.ok({"--ansi", "always", "logs", "-t", "done"}) + box.ok({"--ansi", "always", "ps"});
    };
    box.environment["NO_COLOR"] = "1";
    EXPECT_EQ(colored().find("\x1b["), std::string::npos) << "whoever asks for no color gets none";
}

TEST(RunExec, WhatHasNothingToDoIsNoError) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    const auto kill = box.compose({"kill"});
    EXPECT_EQ(kill.exit_code, 0);
    EXPECT_EQ(kill.err, "No container to kill\n");
    box.ok({"restart"});
    EXPECT_THAT(box.fails({"start"}), HasSubstr("has no container to start"));
}

}  // namespace
}  // namespace compose::test
