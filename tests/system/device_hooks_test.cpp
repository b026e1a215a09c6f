// Hooks of the host's device descriptions: when they run, where, and what they are told.
#include <gmock/gmock.h>

#include "support/cdi.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class DeviceHooks : public CdiTest {
protected:
    // A program that notes its stage, state and what it sees, and then does `more`.
    void hook_program(const std::string& more) const {
        box_.write("hook",
                   "#!/bin/sh\nstage=$1\nstate=$(cat)\necho \"$state\" > " + box_.path("state.$1") +
                       "\necho \"$stage $WORD $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net)\" >> " +
                       box_.path("stages") +
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
};

const std::vector<std::string> kAll{"poststop", "createContainer", "prestart", "poststart", "createRuntime"};

TEST_F(DeviceHooks, RunAtTheirTimeInTheirPlace) {
    hook_program(
        "case $stage in\n"
        "prestart) test -x $root/bin/busybox || exit 1; cp $bundle/config.json " +
        box_.path("config") +
        " ;;\n"
        "createRuntime) mkdir -p $root/mnt && mount -t tmpfs hooked $root/mnt ;;\n"
        "createContainer) echo made > $root/opt-made; PATH=/sbin:$PATH chroot $root /bin/touch /chrooted ;;\n"
        "poststart) test -z \"$(ls $root)\" ;;\n"
        "esac");
    describe(kAll);
    box_.ok({"up", "-d"});
    EXPECT_EQ(box_.ok({"exec", "-T", "app", "cat", "/opt-made", "/chrooted"}), "made\n");
    EXPECT_THAT(box_.ok({"exec", "-T", "app", "cat", "/proc/mounts"}), HasSubstr("hooked /mnt tmpfs"));
    EXPECT_EQ(box_.host({"grep", "-c", "hooked", "/proc/self/mounts"}).out, "0\n");
    EXPECT_THAT(noted("config"), HasSubstr("\"args\":[\"sleep\",\"1000\"]"));
    EXPECT_THAT(noted("config"), HasSubstr("CAP_NET_BIND_SERVICE"));
    ASSERT_TRUE(eventually([&] { return noted("stages").find("poststart") != std::string::npos; }));
    const auto id = box_.ok({"ps", "-q", "--no-trunc"}).substr(0, 64);
    const auto space = [&](const char* kind) {
        const auto text = box_.host({"readlink", std::string("/proc/self/ns/") + kind}).out;
        return text.substr(0, text.size() - 1);
    };
    const auto mounts = space("mnt"), network = space("net");
    auto stages = noted("stages");
    EXPECT_THAT(stages, testing::MatchesRegex("prestart said [^\n]+\ncreateRuntime said [^\n]+\ncreateContainer said "
                                              "[^\n]+\npoststart said [^\n]+\n"));
    // Until the root is changed, hooks see the container's mounts.
    EXPECT_THAT(stages, HasSubstr("poststart said " + mounts + " " + network + "\n"));
    for (const char* stage : {"prestart", "createRuntime", "createContainer"})
        EXPECT_THAT(stages, Not(HasSubstr(stage + (" said " + mounts))));
    for (const char* stage : {"prestart", "createRuntime"})
        EXPECT_THAT(stages, testing::ContainsRegex(stage + (" said [^ ]+ net:." + network.substr(5, 10))));
    EXPECT_THAT(stages, Not(testing::ContainsRegex("createContainer said [^ ]+ net:." + network.substr(5, 10))));
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
    EXPECT_EQ(noted("stages"), "poststop said " + mounts + " " + network + "\n");
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

TEST_F(DeviceHooks, ThoseOfTheContainerRunInItWithItsRights) {
    const auto start = [&](const std::string& script, const std::string& more = {}) {
        sys::write_file(std::string(kFolder) + "/test.json",
                        R"({"kind": "test.example/thing", "devices": [{"name": "one", "containerEdits": {"hooks": [
                            {"hookName": "startContainer", "path": "/bin/sh", "env": ["WORD=said", "PATH=/bin"],
                             "args": ["sh", "-c", ")" +
                            script + "\"]" + more + "}]}}]}",
                        0644);
    };
    box_.write("compose.yaml", R"(
services:
  app:
    image: busybox
    command: sh -c 'cat /tmp/hook; exec sleep 1000'
    user: "1000:1000"
    init: true
    cap_add: [SYS_PTRACE]
    security_opt: ["no-new-privileges"]
    stop_grace_period: 0s
    devices: ["test.example/thing=one"]
)");
    start(
        "exec > /tmp/hook; cat; echo; echo $WORD; id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; "
        "cat /proc/1/environ | wc -c; ls /proc/self/fd | wc -l");
    box_.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return box_.ok({"logs", "--no-log-prefix"}).find("Seccomp") != std::string::npos; }));
    const auto told = box_.ok({"logs", "--no-log-prefix"});
    EXPECT_THAT(told, HasSubstr("\"status\":\"created\""));
    EXPECT_THAT(told, HasSubstr("\"pid\":1}\nsaid\n1000\n"));
    EXPECT_THAT(told, testing::ContainsRegex("CapEff:\t0000000000000000\n"));
    EXPECT_THAT(told, testing::ContainsRegex("NoNewPrivs:\t1\nSeccomp:\t2\n"));
    EXPECT_THAT(told, testing::ContainsRegex("\n0\n4\n$")) << "it sees nothing of the engine, and no descriptor more";
    start("echo no such thing >&2; exit 3");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}),
                HasSubstr("startContainer hook /bin/sh of /etc/cdi/test.json: it failed with status 3"));
    EXPECT_EQ(box_.pid_of("demo-app-1"), 0);
    start("exec sleep 1000", R"(, "timeout": 1)");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}), HasSubstr("it was not ready in its time"));
}

TEST_F(DeviceHooks, ARunStepOfABuildHasThemToo) {
    hook_program(
        "[ $stage = createRuntime ] && echo driver > $root/driver; [ $stage != createContainer ] || "
        "! test -e " +
        box_.path("broken"));
    describe(kAll);
    const auto build = [&] {
        box_.write("Dockerfile",
                   "FROM busybox\nRUN --device=test.example/thing=one grep driver /driver && echo step > /step\n");
        return box_.compose({"image", "build", "-t", "built", "--allow", "device", "--no-cache", "."});
    };
    const auto built = build();
    EXPECT_EQ(built.exit_code, 0) << built.err;
    auto stages = noted("stages");
    EXPECT_THAT(stages, testing::MatchesRegex("prestart said [^\n]+\ncreateRuntime said [^\n]+\ncreateContainer said "
                                              "[^\n]+\npoststart said [^\n]+\npoststop said [^\n]+\n"));
    EXPECT_THAT(noted("state.poststart"), HasSubstr("\"status\":\"running\""));
    EXPECT_THAT(noted("state.poststop"), HasSubstr("\"status\":\"stopped\""));
    EXPECT_EQ(box_.ok({"container", "run", "--rm", "built", "cat", "/driver", "/step"}), "driver\nstep\n");
    box_.write("broken", "");
    sys::remove_file(box_.path("stages"));
    const auto broken = build();
    EXPECT_NE(broken.exit_code, 0);
    EXPECT_THAT(broken.err,
                HasSubstr("createContainer hook " + box_.path("hook") + " of /etc/cdi/test.json failed with status 1"));
    stages = noted("stages");
    EXPECT_THAT(stages, Not(HasSubstr("poststart")));
    EXPECT_THAT(stages, HasSubstr("poststop"));
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
    ASSERT_TRUE(box_.host({"chmod", "644", file}).ok());
    describe({"createContainer"}, R"(, "timeout": -1)");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr("timeout \"-1\" is no number"));
    sys::write_file(file, R"({"kind": "test.example/thing", "devices": [{"name": "one", "containerEdits": {
        "intelRdt": {"closID": "x", "enableMonitoring": true}}}]})");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr(file + ":2: enableMonitoring: nothing is monitored"));
    EXPECT_EQ(noted("stages"), "");
}

}  // namespace
}  // namespace compose::test
