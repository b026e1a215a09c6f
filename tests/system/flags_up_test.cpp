// Flags of up, create, plan and watch, and the keys of an attached up: what they change, seen in the containers.
#include <fcntl.h>

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "support/terminal.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// web after db; `value` changes both or neither.
void write_pair(const Sandbox& box, const std::string& web, const std::string& db) {
    box.write("compose.yaml",
              "services:\n  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, "
              "depends_on: [db], environment: {V: " +
                  web +
                  "}}\n  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, volumes: "
                  "[/data], environment: {V: " +
                  db + "}}\n");
}

TEST(UpFlags, RecreateAsAsked) {
    REQUIRE_ROOT();
    Sandbox box;
    write_pair(box, "one", "one");
    box.ok({"up", "-d", "--no-start"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "created");
    EXPECT_EQ(box.field("demo-db-1", "State"), "created");
    box.ok({"up", "-d"});
    const auto ids = [&] { return std::pair(box.field("demo-web-1", "ID"), box.field("demo-db-1", "ID")); };
    auto before = ids();
    write_pair(box, "two", "two");
    box.ok({"up", "-d", "--no-recreate"});
    EXPECT_EQ(ids(), before);
    box.ok({"up", "-d", "--no-deps", "web"});
    EXPECT_NE(ids().first, before.first);
    EXPECT_EQ(ids().second, before.second);
    box.ok({"up", "-d"});
    EXPECT_NE(ids().second, before.second);
    before = ids();
    box.ok({"up", "-d", "--force-recreate", "web"});
    EXPECT_NE(ids().first, before.first);
    EXPECT_EQ(ids().second, before.second) << "dependencies only when they differ";
    before = ids();
    box.ok({"up", "-d", "--always-recreate-deps", "web"});
    EXPECT_NE(ids().second, before.second);
    EXPECT_THAT(box.fails({"up", "--no-recreate", "--force-recreate"}), HasSubstr("exclude each other"));
    EXPECT_THAT(box.fails({"up", "-d", "--abort-on-container-exit"}), HasSubstr("exclude each other"));
    EXPECT_THAT(box.fails({"up", "--attach", "web", "--attach-dependencies"}), HasSubstr("exclude each other"));
    box.ok({"up", "-d", "--no-attach", "db"});
    EXPECT_THAT(box.fails({"up", "--wait-timeout", "3"}), HasSubstr("--wait"));
    EXPECT_THAT(box.fails({"up", "-d", "nosuch"}), HasSubstr("nosuch"));
}

TEST(UpFlags, CreateMakesTheSameAndStartsNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    write_pair(box, "one", "one");
    box.ok({"create", "--scale", "web=2", "--quiet-pull", "--pull", "missing"});
    EXPECT_EQ(box.ps().size(), 3U);
    EXPECT_EQ(box.field("demo-web-2", "State"), "created");
    const auto id = box.field("demo-web-1", "ID");
    write_pair(box, "two", "one");
    box.ok({"create", "--no-recreate"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), id);
    box.ok({"create"});
    EXPECT_NE(box.field("demo-web-1", "ID"), id);
    EXPECT_EQ(box.field("demo-web-2", "ID"), "") << "as many as the file says";
    const auto db = box.field("demo-db-1", "ID");
    box.ok({"create", "--force-recreate"});
    EXPECT_NE(box.field("demo-db-1", "ID"), db);
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1, volumes: ['d:/d']}}\n"
              "volumes: {d: {labels: {v: one}}}\n");
    EXPECT_THAT(box.compose({"create"}).err, HasSubstr("Found orphan containers ([demo-db-1])"));
    box.environment["COMPOSE_IGNORE_ORPHANS"] = "1";
    EXPECT_THAT(box.compose({"create"}).err, Not(HasSubstr("orphan")));
    EXPECT_THAT(box.fails({"create", "--remove-orphans"}), HasSubstr("COMPOSE_IGNORE_ORPHANS"));
    box.environment.erase("COMPOSE_IGNORE_ORPHANS");
    box.environment["COMPOSE_REMOVE_ORPHANS"] = "1";
    box.ok({"create"});
    EXPECT_EQ(box.field("demo-db-1", "State"), "");
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1, volumes: ['d:/d']}}\n"
              "volumes: {d: {labels: {v: two}}}\n");
    EXPECT_THAT(box.compose({"create"}).err, HasSubstr("the existing volume is kept"));
    box.ok({"create", "-y"});
    EXPECT_THAT(box.ok({"volume", "inspect", "demo_d"}), HasSubstr("\"v\": \"two\""));
    box.ok({"down", "-v"});
}

TEST(UpFlags, PlanTakesThemToo) {
    REQUIRE_ROOT();
    Sandbox box;
    write_pair(box, "one", "one");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.compose({"plan"}).exit_code, 0);
    const auto plan = [&](const std::vector<std::string>& flags) {
        std::vector<std::string> words{"plan"};
        words.insert(words.end(), flags.begin(), flags.end());
        return box.compose(words).out;
    };
    EXPECT_THAT(plan({"--force-recreate", "web"}), HasSubstr("demo-web-1"));
    EXPECT_THAT(plan({"--scale", "db=2"}), HasSubstr("+ create Container demo-db-2"));
    write_pair(box, "two", "two");
    EXPECT_THAT(plan({"--no-deps", "web"}), Not(HasSubstr("demo-db-1")));
    EXPECT_EQ(plan({"--no-recreate"}), "nothing to do\n");
    box.write("compose.yaml", "services: {db: {image: busybox, command: sleep 1000}}\n");
    EXPECT_THAT(plan({"--remove-orphans"}), HasSubstr("- remove Container demo-web-1"));
    EXPECT_THAT(plan({}), Not(HasSubstr("remove Container demo-web-1")));
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
}

TEST(UpFlags, WhatAForegroundUpShows) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: "sh -c 'sleep 0.2; echo web says'", depends_on: [db]}
  db: {image: busybox, command: "sh -c 'echo db says; sleep 0.5'"}
  quiet: {image: busybox, command: echo quiet says, attach: false}
)");
    const auto shown = [&](const std::vector<std::string>& flags) {
        std::vector<std::string> words{"up", "--no-color"};
        words.insert(words.end(), flags.begin(), flags.end());
        return box.compose(words).out;
    };
    EXPECT_THAT(shown({}), testing::AllOf(HasSubstr("web says"), HasSubstr("db says"), Not(HasSubstr("quiet says"))));
    EXPECT_THAT(box.ok({"logs", "quiet"}), HasSubstr("quiet says"));
    EXPECT_THAT(shown({"web"}), Not(HasSubstr("db says")));
    const auto ended = [&] { return box.field("demo-db-1", "State") == "exited"; };
    ASSERT_TRUE(eventually(ended));
    EXPECT_THAT(shown({"--attach-dependencies", "--rerun", "web"}), HasSubstr("db says"));
    EXPECT_THAT(shown({"--attach", "quiet", "quiet"}), HasSubstr("quiet says"));
    ASSERT_TRUE(eventually(ended));
    EXPECT_THAT(shown({"--timestamps", "db"}), testing::ContainsRegex("db-1  \\| 20[0-9T:.Z-]+ db says"));
}

TEST(UpFlags, KeysAtATerminal) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("src/file", "one\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: "sh -c 'echo ready; sleep 1000'"
    stop_grace_period: 0s
    environment: {MARKED: "yes"}
    develop: {watch: [{path: ./src, target: /app, action: sync}]}
)");
    {
        Terminal up({COMPOSE_BINARY, "up"}, box.environment, box.folder());
        ASSERT_TRUE(up.shows("d detaches, w watches files")) << up.screen();
        ASSERT_TRUE(up.shows("ready")) << up.screen();
        up.type("o");
        EXPECT_TRUE(up.shows("MARKED: \"yes\"")) << up.screen();
        up.type("w");
        EXPECT_TRUE(up.shows("Watch enabled")) << up.screen();
        box.write("src/file", "two\n");
        EXPECT_TRUE(eventually([&] { return box.compose({"exec", "-T", "web", "cat", "/app/file"}).out == "two\n"; }));
        up.type("w");
        EXPECT_TRUE(up.shows("Watch disabled")) << up.screen();
        up.type("d");
        EXPECT_EQ(up.wait(), 0) << up.screen();
    }
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    {
        Terminal up({COMPOSE_BINARY, "up", "--menu=false"}, box.environment, box.folder());
        ASSERT_TRUE(up.shows("Attaching to web-1")) << up.screen();
        up.type("\x03");
        EXPECT_EQ(up.wait(), 130) << up.screen();
        EXPECT_THAT(up.screen(), Not(HasSubstr("d detaches")));
    }
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited");
}

TEST(UpFlags, WatchBesideTheLogs) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("src/file", "one\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    develop: {watch: [{path: ./src, target: /app, action: sync, initial_sync: true}]}
)");
    {
        const Background up(box, {COMPOSE_BINARY, "up", "--watch"}, box.path("up.log"));
        EXPECT_TRUE(eventually([&] {
            return box.compose({"exec", "-T", "web", "cat", "/app/file"}).out == "one\n";
        })) << sys::read_file(box.path("up.log"));
        box.write("src/file", "two\n");
        EXPECT_TRUE(eventually([&] { return box.compose({"exec", "-T", "web", "cat", "/app/file"}).out == "two\n"; }));
    }
    EXPECT_THAT(box.fails({"up", "--watch", "-d"}), HasSubstr("exclude each other"));
    EXPECT_THAT(box.fails({"up", "--watch", "--no-build"}), HasSubstr("exclude each other"));
}

TEST(WatchActions, EachDoesWhatItSays) {
    REQUIRE_ROOT();
    Sandbox box;
    for (const char* folder : {"sync", "exec", "restart", "rebuild", "real/.git", "mounted/deep"})
        std::filesystem::create_directories(box.path(folder));
    std::filesystem::create_directory_symlink("real", box.path("link"));
    box.write("rebuild/word", "first\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sh -c 'cat /proc/sys/kernel/random/uuid > /started; sleep 1000'
    stop_grace_period: 0s
    volumes: ["./mounted:/seen", "./real/own:/linked/own"]
    develop:
      watch:
        - {path: ./sync, target: /sync, action: sync, include: ["*.txt"]}
        - {path: ./link, target: /linked, action: sync}
        - {path: ./mounted/deep, target: /seen/deep, action: sync}
        - {path: ./exec, target: /exec, action: sync+exec, exec: {command: [sh, -c, "cat /exec/* > /told; echo $$WHO $$(id -u) $$(pwd) >> /tmp/who"], user: "1000", working_dir: /tmp, environment: {WHO: hook}}}
        - {path: ./restart, action: restart}
  built:
    build: {context: ./rebuild, dockerfile_inline: "FROM busybox\nCOPY word /word\nCMD [\"sleep\", \"1000\"]"}
    stop_grace_period: 0s
    develop: {watch: [{path: ./rebuild, action: rebuild}]}
)");
    const auto in = [&](const std::string& service, const std::string& script) {
        return box.compose({"exec", "-T", service, "sh", "-c", script}).out;
    };
    const auto changed = [&](const std::string& name) {
        const auto info = sys::inspect(sys::open_file(box.path(name), O_PATH));
        return std::pair(info.ctime_s, info.ctime_ns);
    };
    {
        box.write("watch.log", "");
        const Background watch(box, {COMPOSE_BINARY, "watch"}, box.path("watch.log"));
        const auto log = [&] { return sys::read_file(box.path("watch.log")); };
        ASSERT_TRUE(
            eventually([&] { return log().find("Watch enabled") != std::string::npos; }, std::chrono::seconds(30)))
            << log();
        box.write("sync/a.txt", "text\n");
        box.write("sync/a.bin", "other\n");
        EXPECT_TRUE(eventually([&] { return in("web", "cat /sync/a.txt") == "text\n"; })) << log();
        EXPECT_EQ(in("web", "ls /sync"), "a.txt\n");
        box.write("real/.git/HEAD", "of the tool\n");
        box.write("mounted/deep/a", "once\n");
        box.write("real/own/a", "once\n");
        const auto own = changed("real/own/a");
        box.write("real/a", "through a link\n");
        EXPECT_TRUE(eventually([&] { return in("web", "cat /linked/a") == "through a link\n"; })) << log();
        EXPECT_EQ(in("web", "ls -A /linked"), "a\nown\n") << "what git keeps is nobody else's";
        std::filesystem::remove(box.path("real/a"));
        box.write("real/a/b", "a folder now\n");
        EXPECT_TRUE(eventually([&] { return in("web", "cat /linked/a/b") == "a folder now\n"; })) << log();
        std::filesystem::remove_all(box.path("real/a"));
        box.write("real/a", "and back\n");
        EXPECT_TRUE(eventually([&] { return in("web", "cat /linked/a") == "and back\n"; })) << log();
        EXPECT_THAT(log(), HasSubstr("mounted/deep\" is a bind mount of web too"));
        EXPECT_EQ(log().find("seen/deep"), std::string::npos) << "or it would be copied onto itself for ever";
        EXPECT_EQ(changed("real/own/a"), own) << "nor is a mount inside of what is watched";
        (void)in("web", "touch /told; chmod 666 /told");
        box.write("exec/a", "told\n");
        EXPECT_TRUE(eventually([&] { return in("web", "cat /told") == "told\n"; })) << log();
        EXPECT_TRUE(
            eventually([&] { return in("web", "cat /tmp/who").find("hook 1000 /tmp\n") != std::string::npos; }));
        const auto started = in("web", "cat /started");
        box.write("restart/a", "x\n");
        EXPECT_TRUE(eventually([&] {
            const auto now = in("web", "cat /started");
            return !now.empty() && now != started;
        })) << log();
        const auto id = box.field("demo-web-1", "ID");
        box.write("rebuild/word", "second\n");
        EXPECT_TRUE(eventually([&] { return in("built", "cat /word") == "second\n"; }, std::chrono::seconds(30)))
            << log();
        EXPECT_EQ(box.field("demo-web-1", "ID"), id) << "a rebuild touches its own service only";
    }
    box.ok({"down", "-t", "0", "--rmi", "local"});
}

}  // namespace
}  // namespace compose::test
