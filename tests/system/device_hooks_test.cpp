// Hooks of the host's device descriptions: when they run, where, and what they are told.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kFolder = "/etc/cdi";  // a file system of this test alone

class DeviceHooks : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        ASSERT_TRUE(box_.host({"sh", "-c",
                               std::string("mkdir -p ") + kFolder + " && mount -t tmpfs -o mode=755 cdi " + kFolder})
                        .ok());
        box_.write("compose.yaml", R"(
services:
  app: {image: busybox, command: sleep 1000, stop_grace_period: 0s, devices: ["test.example/thing=one"]}
)");
    }
    void TearDown() override { (void)box_.host({"umount", kFolder}); }

    // A program that notes its stage, state and what it sees, and then does `more`.
    void hook_program(const std::string& more) const {
        box_.write("hook",
                   "#!/bin/sh\nstage=$1\nstate=$(cat)\necho \"$state\" > " + box_.path("state.$1") +
                       "\necho \"$stage $WORD $(readlink /proc/self/ns/mnt)\" >> " + box_.path("stages") +
                       "\nbundle=$(echo \"$state\" | sed 's/.*\"bundle\":\"\\([^\"]*\\)\".*/\\1/')\n"
                       "root=$(sed 's/.*\"path\":\"\\([^\"]*\\)\".*/\\1/' $bundle/config.json)\n" +
                       more + "\n",
                   0755);
    }
    void describe(const std::vector<std::string>& stages, const std::string& more = {}) const {
        std::string hooks;
        for (const auto& stage : stages)
            hooks += std::string(hooks.empty() ? "" : ",") + R"({"hookName": ")" + stage + R"(", "path": ")" +
                     box_.path("hook") + R"(", "args": ["hook", ")" + stage +
                     R"("], "env": ["WORD=said", "PATH=/usr/bin:/bin"])" + more + "}";
        sys::write_file(std::string(kFolder) + "/test.json",
                        R"({"cdiVersion": "1.0.0", "kind": "test.example/thing", "devices": [{"name": "one",
                           "containerEdits": {"hooks": [)" +
                            hooks + "]}}]}",
                        0644);
    }
    [[nodiscard]] std::string noted(const std::string& name) const {
        return sys::read_file_if_exists(box_.path(name)).value_or("");
    }

    Sandbox box_;
};

const std::vector<std::string> kAll{"poststop", "createContainer", "prestart", "poststart", "createRuntime"};

TEST_F(DeviceHooks, RunAtTheirTimeInTheirPlace) {
    hook_program("[ $stage = createContainer ] && echo made > $root/opt-made; true");
    describe(kAll);
    box_.ok({"up", "-d"});
    EXPECT_EQ(box_.ok({"exec", "-T", "app", "cat", "/opt-made"}), "made\n");
    ASSERT_TRUE(eventually([&] { return noted("stages").find("poststart") != std::string::npos; }));
    const auto id = box_.ok({"ps", "-q", "--no-trunc"}).substr(0, 64);
    const auto own = box_.host({"readlink", "/proc/self/ns/mnt"}).out;
    const auto mount_namespace = own.substr(0, own.size() - 1);
    auto stages = noted("stages");
    EXPECT_THAT(stages, testing::MatchesRegex("prestart said [^\n]+\ncreateRuntime said [^\n]+\ncreateContainer said "
                                              "[^\n]+\npoststart said [^\n]+\n"));
    for (const char* stage : {"prestart", "createRuntime", "poststart"})
        EXPECT_THAT(stages, HasSubstr(stage + (" said " + mount_namespace) + "\n"));
    EXPECT_THAT(stages, Not(HasSubstr("createContainer said " + mount_namespace)));
    const auto state = noted("state.createContainer");
    EXPECT_THAT(state, HasSubstr("\"id\":\"" + id + "\""));
    EXPECT_THAT(state, HasSubstr("\"status\":\"creating\""));
    EXPECT_THAT(state, HasSubstr("\"pid\":" + std::to_string(box_.pid_of("demo-app-1"))));
    EXPECT_THAT(noted("state.poststart"), HasSubstr("\"status\":\"running\""));
    EXPECT_EQ(box_.host({"stat", "-c", "%a", box_.state() + "/containers/" + id + "/config.json"}).out, "600\n");
    // A restart is another life.
    sys::remove_file(box_.path("stages"));
    box_.ok({"restart"});
    ASSERT_TRUE(eventually([&] { return noted("stages").find("poststart") != std::string::npos; }));
    stages = noted("stages");
    EXPECT_LT(stages.find("poststop"), stages.find("createRuntime"));
    sys::remove_file(box_.path("stages"));
    box_.ok({"down"});
    EXPECT_EQ(noted("stages"), "poststop said " + mount_namespace + "\n");
    EXPECT_THAT(noted("state.poststop"), HasSubstr("\"status\":\"stopped\""));
}

TEST_F(DeviceHooks, OneThatFailsFailsTheStart) {
    hook_program("[ $stage = poststop ] || { echo no such driver >&2; exit 3; }");
    describe({"createContainer", "poststart", "poststop"});
    const auto error = box_.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("createContainer hook " + box_.path("hook") +
                                 " of /etc/cdi/test.json failed with "
                                 "status 3: no such driver"));
    EXPECT_EQ(box_.pid_of("demo-app-1"), 0);
    EXPECT_TRUE(eventually([&] { return noted("stages").find("poststop") != std::string::npos; }));
    EXPECT_THAT(noted("stages"), Not(HasSubstr("poststart")));
}

TEST_F(DeviceHooks, OneThatHangsIsKilled) {
    hook_program("[ $stage = createRuntime ] && exec sleep 1000; true");
    describe({"createRuntime"}, R"(, "timeout": 1)");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr("of /etc/cdi/test.json was not ready after 1 s"));
    // Without a limit it is waited for, but whoever wants the container gone is not.
    describe({"createRuntime"});
    sys::remove_file(box_.path("stages"));
    box_.write("start", "'" + std::string(COMPOSE_BINARY) + "' up -d\n");
    const auto up = box_.host({"sh", "-c",
                               "cd " + box_.folder() + " && COMPOSE_STATE_DIR=" + box_.state() +
                                   " COMPOSE_RUN_DIR=" + box_.run_dir() + " timeout -s KILL 3 " + COMPOSE_BINARY +
                                   " up -d --force-recreate"});
    EXPECT_FALSE(up.ok());
    ASSERT_TRUE(eventually([&] { return !noted("stages").empty(); }));
    box_.ok({"down"});
    EXPECT_EQ(box_.ps().size(), 0U);
}

TEST_F(DeviceHooks, WhatCannotBeTrustedOrDoneIsRefused) {
    hook_program("true");
    describe({"createContainer"});
    const auto file = std::string(kFolder) + "/test.json";
    ASSERT_TRUE(box_.host({"chmod", "g+w", file}).ok());
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr(file + " may be written by others than root"));
    describe({"startContainer"});
    ASSERT_TRUE(box_.host({"chmod", "644", file}).ok());
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr(file + ": hooks of kind startContainer are not run"));
    describe({"createContainer"}, R"(, "timeout": -1)");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr("timeout \"-1\" is no number"));
    sys::write_file(file, R"({"kind": "test.example/thing", "devices": [{"name": "one", "containerEdits": {
        "intelRdt": {"closID": "x"}}}]})");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr("intelRdt of " + file + " is not supported"));
    EXPECT_EQ(noted("stages"), "");
}

}  // namespace
}  // namespace compose::test
