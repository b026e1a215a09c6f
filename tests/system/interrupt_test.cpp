// Ctrl-C and SIGTERM while a command waits: it ends at once with 130, and the next one finds everything in order.
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;

int interrupted_pid(const Sandbox& box) {
    const auto text = sys::read_file_if_exists(box.path("interrupted.pid"));
    return text ? std::atoi(text->c_str()) : 0;
}

/// Has the command begun to look for signals? Before, they would end it, or be lost where they are ignored.
bool takes_signals(const Sandbox& box) {
    const int pid = interrupted_pid(box);
    const auto status = pid > 1 ? sys::read_file_if_exists("/proc/" + std::to_string(pid) + "/status") : std::nullopt;
    if (!status) return false;
    for (const char* set : {"SigBlk:\t", "SigCgt:\t"})  // taken from a descriptor, or by a handler
        if (const auto at = status->find(set); at != std::string::npos)
            if ((std::stoull(status->substr(at + 8, 16), nullptr, 16) >> (SIGTERM - 1) & 1U) != 0) return true;
    return false;
}

/// Runs a command, sends it a signal when `ready` holds, and expects that it ends soon with 130.
void interrupt(const Sandbox& box, const std::vector<std::string>& arguments, const std::function<bool()>& ready,
               int signal = SIGINT) {
    const std::string pid_file = box.path("interrupted.pid");
    std::filesystem::remove(pid_file);
    std::vector<std::string> argv{"sh", "-c", "echo $$ > " + pid_file + "; exec \"$@\"", "sh", COMPOSE_BINARY};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Result result;
    std::thread thread([&] {
        result = sys::run_command({.argv = argv,
                                   .environment = box.environment,
                                   .working_dir = box.folder(),
                                   .timeout = std::chrono::seconds(30)});
    });
    EXPECT_TRUE(eventually([&] { return takes_signals(box) && ready(); })) << arguments.front();
    const auto then = std::chrono::steady_clock::now();
    if (const int pid = interrupted_pid(box); pid > 1) ::kill(pid, signal);
    thread.join();
    EXPECT_EQ(result.exit_code, 130) << arguments.front() << ": " << result.err;
    EXPECT_LT(std::chrono::steady_clock::now() - then, std::chrono::seconds(5)) << arguments.front();
}

TEST(Interrupt, WhatWaitsForAStubbornContainerEndsAtOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: ["sh", "-c", "trap 'echo asked' TERM; echo up; while :; do sleep 0.1; done"]
    stop_grace_period: 1m
)");
    const std::vector<std::vector<std::string>> commands{
        {"stop"}, {"restart"}, {"down"}, {"rm", "-sf"}, {"up", "-d", "--force-recreate"}};
    for (const auto& command : commands) {
        box.ok({"up", "-d"});
        const auto said = [&](const char* word) {
            return box.compose({"logs", "--no-log-prefix", "--tail", "1", "web"}).out == std::string(word) + "\n";
        };
        ASSERT_TRUE(eventually([&] { return said("up"); }));
        interrupt(
            box, command, [&] { return said("asked"); }, command.front() == "down" ? SIGTERM : SIGINT);
        // It was asked, and has the time that it was given; nothing of it is gone.
        EXPECT_EQ(box.field("demo-web-1", "State"), "running") << command.front();
        box.ok({"down", "-t", "0"});
        EXPECT_EQ(box.ps().size(), 0U);
    }
}

TEST(Interrupt, HooksAreNotWaitedFor) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    pre_stop: [{command: ["sh", "-c", "touch /asked; sleep 1000"]}]
  late:
    image: busybox
    command: sleep 1000
    profiles: [late]
    pre_start: [{command: ["sh", "-c", "sleep 1000"]}]
)");
    box.ok({"up", "-d"});
    interrupt(box, {"stop"}, [&] { return box.compose({"exec", "-T", "web", "test", "-e", "/asked"}).exit_code == 0; });
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    interrupt(box, {"up", "-d", "late"}, [&] { return box.field("demo-late-pre_start-0", "State") == "running"; });
    EXPECT_EQ(box.field("demo-late-pre_start-0", "State"), "");
    box.ok({"kill"});
    box.ok({"down"});
}

TEST(Interrupt, WhatFollowsOrWaitsEndsAtOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    healthcheck: {test: "false", interval: 1s, retries: 1000}
    develop: {watch: [{path: ./src, target: /app, action: sync}]}
  app: {image: busybox, command: sleep 1000, depends_on: {web: {condition: service_healthy}}, profiles: [app]}
)");
    std::filesystem::create_directories(box.path("src"));
    box.ok({"up", "-d"});
    // Each has come as far as it goes.
    const auto soon = [] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        return true;
    };
    for (const int signal : {SIGINT, SIGTERM})
        for (const auto& command : std::vector<std::vector<std::string>>{
                 {"logs", "-f"}, {"events"}, {"wait", "web"}, {"up", "-d", "--wait"}, {"run", "--rm", "app"}})
            interrupt(box, command, soon, signal);
    interrupt(box, {"stats", "--format", "json"}, soon, SIGTERM);
    interrupt(box, {"watch", "--no-up"}, soon, SIGTERM);
    box.ok({"stop"});
    interrupt(box, {"start", "--wait"}, [&] { return box.field("demo-web-1", "State") == "running"; });
    EXPECT_EQ(box.ps().size(), 1U);
}

TEST(Interrupt, FetchingAndBuildingEndAtOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    const Background silent(box, {"busybox", "nc", "-l", "-p", "5999"}, box.path("nc.log"));
    box.write("Dockerfile", "FROM busybox\nRUN touch /tmp/x && sleep 1000\n");
    box.write("compose.yaml", R"(
services:
  far: {image: "127.0.0.1:5999/image", profiles: [far]}
  made: {build: ., image: made, profiles: [made]}
)");
    const auto soon = [] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        return true;
    };
    interrupt(box, {"pull", "far"}, soon);
    interrupt(box, {"--profile", "far", "create"}, soon, SIGTERM);
    interrupt(box, {"build", "made"}, soon);
    interrupt(box, {"build", "made"}, soon, SIGTERM);
}

}  // namespace
}  // namespace compose::test
