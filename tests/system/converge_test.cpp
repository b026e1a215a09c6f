// Convergence beyond the first up: rolling updates and their way back, changed volumes, images of one-offs,
// ports that the host has taken.
#include <chrono>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "support/sandbox.hpp"
#include "support/terminal.hpp"
#include "sys/file.hpp"
#include "sys/port_socket.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSleeper = "image: busybox, command: sleep 1000, stop_grace_period: 0s";

void write_rolling(const Sandbox& box, const std::string& command, const std::string& update,
                   const std::string& more = {}) {
    box.write("compose.yaml",
              "services:\n  web:\n    image: busybox\n    stop_grace_period: 0s\n    command: " + command +
                  "\n    deploy:\n      replicas: 3\n      update_config: {" + update + "}\n" + more);
}

TEST(Update, RollsBackEarlierBatchesToo) {
    REQUIRE_ROOT();
    Sandbox box;
    const char* const update = "parallelism: 1, failure_action: rollback, monitor: 1s";
    // The third one only fails: by its number in its host's name it can't be told, so by a file that counts.
    const std::string good = "sleep 1000";
    write_rolling(box, good, update);
    box.ok({"up", "-d"});
    std::vector<std::string> before;
    for (const char* name : {"demo-web-1", "demo-web-2", "demo-web-3"}) before.push_back(box.field(name, "ID"));
    std::filesystem::create_directories(box.path("out"));
    const std::string third =
        R"(["sh", "-c", "echo x >> /out/n; [ $$(wc -l < /out/n) -lt 3 ] && exec sleep 1000; exit 3"])";
    write_rolling(box, third + "\n    volumes: [\"./out:/out\"]", update,
                  "      rollback_config: {parallelism: 2, delay: 100ms, monitor: 100ms}\n");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("demo-web-3"));
    EXPECT_THAT(error, HasSubstr("Rolling back"));
    EXPECT_EQ(sys::read_file(box.path("out/n")), "x\nx\nx\n");
    EXPECT_EQ(box.ps().size(), 3U);
    std::vector<std::string> after;
    for (const char* name : {"demo-web-1", "demo-web-2", "demo-web-3"}) {
        after.push_back(box.field(name, "ID"));
        EXPECT_EQ(box.field(name, "State"), "running") << name;
    }
    EXPECT_EQ(after, before);
    std::filesystem::remove(box.path("out/n"));
    // In the foreground too, where the rest is stopped first and started later.
    EXPECT_THAT(box.fails({"up"}), HasSubstr("Rolling back"));
    EXPECT_EQ(box.field("demo-web-1", "ID"), before[0]);
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    // And goes through when all are well.
    write_rolling(box, "sleep 2000", update);
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ps().size(), 3U);
    EXPECT_NE(box.field("demo-web-3", "ID"), before[2]);
    EXPECT_EQ(box.field("demo-web-3", "State"), "running");
}

TEST(Update, DelaysBetweenBatchesAndToleratesSomeFailures) {
    REQUIRE_ROOT();
    Sandbox box;
    write_rolling(box, "sleep 1000", "delay: 400ms");
    box.ok({"up", "-d"});
    write_rolling(box, "sleep 2000", "delay: 400ms");
    const auto begin = std::chrono::steady_clock::now();
    box.ok({"up", "-d"});
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(800));

    std::filesystem::create_directories(box.path("out"));
    const std::string first =
        R"(["sh", "-c", "echo x >> /out/n; [ $$(wc -l < /out/n) -gt 1 ] && exec sleep 1000; exit 3"])"
        "\n    volumes: [\"./out:/out\"]";
    write_rolling(box, first, "monitor: 300ms, max_failure_ratio: 0.4");
    EXPECT_THAT(box.compose({"up", "-d"}).err, HasSubstr("tolerates"));
    EXPECT_EQ(sys::read_file(box.path("out/n")), "x\nx\nx\n");
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited");
    EXPECT_EQ(box.field("demo-web-3", "State"), "running");
}

// What is left of three replicas when the second new one fails, by failure_action.
TEST(Update, FailureActions) {
    REQUIRE_ROOT();
    const struct {
        const char* action;
        std::vector<std::string> states;  // "old" or "new", and the state
        const char* said;
        int code;
    } cases[] = {
        {"pause", {"new running", "new exited", "old running"}, "exited", 1},
        {"continue", {"new running", "new exited", "new running"}, "exited", 0},
        {"rollback", {"old running", "old running", "old running"}, "Rolling back", 1},
    };
    for (const auto& [action, states, said, code] : cases) {
        Sandbox box;
        const std::string update = std::string("parallelism: 1, monitor: 300ms, failure_action: ") + action;
        write_rolling(box, "sleep 1000", update);
        box.ok({"up", "-d"});
        const std::vector<std::string> names{"demo-web-1", "demo-web-2", "demo-web-3"};
        std::vector<std::string> before, after;
        for (const auto& name : names) before.push_back(box.field(name, "ID"));
        std::filesystem::create_directories(box.path("out"));
        write_rolling(box,
                      R"(["sh", "-c", "echo x >> /out/n; [ $$(wc -l < /out/n) -eq 2 ] && exit 3; exec sleep 1000"])"
                      "\n    volumes: [\"./out:/out\"]",
                      update);
        const auto up = box.compose({"up", "-d"});
        EXPECT_EQ(up.exit_code, code) << action << up.err;
        EXPECT_THAT(up.err, HasSubstr(said)) << action;
        for (std::size_t i = 0; i < names.size(); ++i)
            after.push_back((box.field(names[i], "ID") == before[i] ? "old " : "new ") + box.field(names[i], "State"));
        EXPECT_EQ(after, states) << action << up.err;
    }
}

TEST(Volumes, AreMadeAnewOnlyWhenAnswered) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const char* label) {
        box.write("compose.yaml", std::string("services: {web: {") + kSleeper +
                                      ", volumes: [\"data:/data\"]}}\nvolumes: {data: {labels: {v: " + label + "}}}\n");
    };
    file("one");
    box.ok({"up", "-d"});
    box.ok({"exec", "-T", "web", "sh", "-c", "echo old > /data/f"});
    file("two");
    for (const auto& command : {std::vector<std::string>{"plan"}, {"up", "-d", "--dry-run"}, {"up", "-d"}})
        EXPECT_THAT(box.compose(command).err, HasSubstr("the existing volume is kept"));
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/data/f"}), "old\n");
    {
        Terminal up({COMPOSE_BINARY, "up", "-d"}, box.environment, box.folder());
        EXPECT_TRUE(up.shows("Its data will be lost. [y/N]")) << up.screen();
        up.type("n\n");
        EXPECT_EQ(up.wait(), 0);
    }
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/data/f"}), "old\n");
    box.ok({"up", "-d", "-y"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "ls", "/data"}), "");
    EXPECT_THAT(box.ok({"volume", "inspect", "demo_data"}), HasSubstr("\"v\": \"two\""));
    EXPECT_THAT(box.compose({"up", "-d"}).err, Not(HasSubstr("kept")));
    box.ok({"down", "-v"});
}

TEST(Images, OfOneOffsAreBuiltAndDownRemovesThem) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const char* word) {
        box.write("compose.yaml",
                  std::string("services: {tool: {build: {dockerfile_inline: \"FROM busybox\\nRUN echo ") + word +
                      " > /word\\nCMD [\\\"cat\\\", \\\"/word\\\"]\"}}}\n");
    };
    file("one");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--quiet-build", "tool"}), "one\n");
    file("two");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "tool"}), "one\n");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--build", "tool"}), "two\n");
    file("three");
    box.ok({"create", "--build"});
    EXPECT_EQ(box.field("demo-tool-1", "State"), "created");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--pull", "never", "tool"}), "three\n");
    EXPECT_THAT(box.fails({"run", "--pull", "sometimes", "tool"}), HasSubstr("--pull"));
    EXPECT_THAT(box.compose({"down", "--rmi", "local"}).err, HasSubstr("Image demo-tool"));
    EXPECT_THAT(box.ok({"image", "ls", "-q", "demo-tool"}), "");
    EXPECT_THAT(box.ok({"image", "ls", "-q", "busybox"}), Not(testing::IsEmpty()));
    EXPECT_THAT(box.fails({"create", "--no-build"}), HasSubstr("demo-tool"));
    box.write("compose.yaml", "services: {web: {image: own:1, command: sleep 1000, stop_grace_period: 0s}}\n");
    box.ok({"image", "tag", "busybox", "own:1"});
    box.ok({"up", "-d"});
    box.ok({"down", "--rmi", "local"});
    EXPECT_THAT(box.ok({"image", "ls", "-q", "own:1"}), Not(testing::IsEmpty()));
    box.ok({"up", "-d"});
    box.ok({"down", "--rmi", "all"});
    EXPECT_EQ(box.ok({"image", "ls", "-q", "own:1"}), "");
}

TEST(Orphans, KillRemovesThem) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", std::string("services: {web: {") + kSleeper + "}, old: {" + kSleeper + "}}\n");
    box.ok({"up", "-d"});
    box.write("compose.yaml", std::string("services: {web: {") + kSleeper + "}}\n");
    box.ok({"kill", "--remove-orphans"});
    EXPECT_EQ(box.ps().size(), 1U);
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited");
}

TEST(Ports, OfHostProgramsAreNamedBeforeAnythingStops) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", std::string("services: {web: {") + kSleeper + "}}\n");
    box.ok({"up", "-d"});
    const auto id = box.field("demo-web-1", "ID");
    const auto taken = sys::reserve_port("tcp", "", 0);
    ASSERT_TRUE(taken);
    const auto port = std::to_string(sys::bound_port(*taken).port);
    box.write("compose.yaml", std::string("services: {web: {") + kSleeper + ", ports: [\"" + port + ":80\"]}}\n");
    for (const auto& command : {std::vector<std::string>{"up", "-d"}, std::vector<std::string>{"up"}}) {
        const auto error = box.fails(command);
        EXPECT_THAT(error, HasSubstr("port " + port + "/tcp is already in use by"));
        EXPECT_THAT(error, HasSubstr("compose.yaml:1:"));
        EXPECT_EQ(box.field("demo-web-1", "ID"), id);
        EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    }
}

TEST(Attributes, ThatCanNotBeHonouredAreErrors) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", std::string("services:\n  web:\n    image: busybox\n    use_api_socket: true\n"
                                          "    pull_policy: every_soon\n    pull_refresh_after: tomorrow\n"));
    EXPECT_THAT(box.fails({"config", "-q"}),
                testing::AllOf(HasSubstr("compose.yaml:5:18: error: services.web.pull_policy"),
                               HasSubstr("compose.yaml:6:25: error: services.web.pull_refresh_after")));
    box.write("compose.yaml",
              "services:\n  web:\n    image: busybox\n    use_api_socket: true\n"
              "  job:\n    image: busybox\n    deploy: {mode: replicated-job, restart_policy: {condition: any}}\n"
              "  more:\n    image: busybox\n    deploy: {mode: global-job}\n    restart: always\n");
    const auto error = box.fails({"up", "-d"});
    for (const char* what : {"compose.yaml:4:21", "there is no API socket", "compose.yaml:7:64", "compose.yaml:11:14",
                             "a job is not started again once it is done"})
        EXPECT_THAT(error, HasSubstr(what));
    EXPECT_TRUE(box.ps().empty());
    box.write("compose.yaml", "services: {web: {image: busybox}}\n");
}

}  // namespace
}  // namespace compose::test
