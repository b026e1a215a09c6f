// What flags and attributes of builds do: pushing, limits of steps, devices, agents, several services at once.
#include <sys/mount.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "support/builds.hpp"
#include "support/terminal.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Flag {
    const char* name;
    std::vector<std::string> words;
    const char* says;  // on stderr; empty: it is built
};
class BuildFlag : public testing::TestWithParam<Flag> {};
TEST_P(BuildFlag, IsHonouredOrRefused) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto result = build(box, "FROM busybox\n", GetParam().words);
    if (*GetParam().says == '\0') {
        EXPECT_EQ(result.exit_code, 0) << result.err;
    } else {
        EXPECT_NE(result.exit_code, 0);
        EXPECT_THAT(result.err, HasSubstr(GetParam().says));
    }
}
INSTANTIATE_TEST_SUITE_P(
    All, BuildFlag,
    testing::Values(
        Flag{"builder", {"--builder", "default"}, ""},
        Flag{"other_builder", {"--builder", "cloud"}, "there is no builder \"cloud\""},
        Flag{"no_attestations", {"--provenance=false", "--sbom=false", "--attest", "type=sbom,disabled=true"}, ""},
        Flag{"provenance", {"--provenance=mode=max"}, "attestations are not made"},
        Flag{"sbom", {"--sbom=true"}, "attestations are not made"},
        Flag{"attest", {"--attest", "type=provenance"}, "attestations are not made"},
        Flag{"annotation", {"--annotation", "a=b"}, "use --label"}, Flag{"call_check", {"--call=check"}, ""},
        Flag{"call_outline", {"--call=outline"}, "invalid value \"outline\" for --call"},
        Flag{"key_file", {"--ssh", "default=Dockerfile"}, "keys in files are not read"},
        Flag{"ulimit", {"--ulimit", "nofile=20:10"}, "the soft limit is above the hard one"},
        Flag{"debug", {"--debug"}, ""}, Flag{"rm", {"--rm", "--force-rm=true"}, ""},
        Flag{"no_rm", {"--rm=false"}, "are always removed"}, Flag{"unknown", {"--squash"}, "--squash"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(BuildFlags, ReachTheStepsAndTheImage) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto done = built(
        box,
        "FROM busybox\nRUN ulimit -n > /files; grep ' /dev/shm ' /proc/mounts > /shm; grep other /etc/hosts > /host; "
        "ls /sys/class/net > /net; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max "
        "2> /dev/null > /memory; true\n",
        {"--ulimit",       "nofile=77:99", "--shm-size", "1m",           "--add-host",
         "other:10.1.2.3", "--network",    "none",       "-m",           "32m",
         "--label",        "a=b",          "--iidfile",  box.path("id"), "--metadata-file",
         box.path("meta"), "--cache-from", "type=gha",   "--cache-to",   "type=s3,bucket=x"});
    EXPECT_EQ(in_image(box, "cat /files /net /memory"), "77\nlo\n33554432\n");
    EXPECT_THAT(in_image(box, "cat /shm"), HasSubstr("size=1024k"));
    EXPECT_THAT(in_image(box, "cat /host"), HasSubstr("10.1.2.3"));
    EXPECT_THAT(box.ok({"image", "inspect", "built"}),
                AllOf(HasSubstr("\"a\""), HasSubstr(sys::read_file(box.path("id")))));
    EXPECT_THAT(sys::read_file(box.path("meta")), HasSubstr("containerimage.config.digest"));
    EXPECT_THAT(done.err, AllOf(HasSubstr("the cache \"type=gha\" is not used"),
                                HasSubstr("the cache \"type=s3,bucket=x\" is not written")));
}

TEST(BuildFlags, PushSendsAllNames) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    box.write("Dockerfile", "FROM busybox\nRUN echo 1 > /one\n");
    box.ok({"image", "build", "--push", "-t", registry.name("a:1"), "-t", registry.name("b:2"), "--metadata-file",
            box.path("meta"), "."});
    EXPECT_THAT(sys::read_file(box.path("meta")), HasSubstr("\"containerimage.digest\":\"sha256:"));
    box.ok({"image", "build", "--output", "type=registry,name=" + registry.name("c:3"), "."});
    for (const char* name : {"a:1", "b:2", "c:3"}) {
        box.ok({"image", "rm", registry.name(name)});
        box.ok({"image", "pull", "-q", registry.name(name)});
    }
    EXPECT_THAT(box.fails({"image", "build", "--push", "."}), HasSubstr("what is pushed needs a name"));
    EXPECT_THAT(box.fails({"image", "build", "--push", "-t", "127.0.0.1:1/x", "."}), HasSubstr("push 127.0.0.1:1/x"));

    // A service without a name of its own has nowhere to go.
    box.write("compose.yaml",
              "services:\n  named:\n    image: " + registry.name("d:4") + "\n    build: .\n  unnamed:\n    build: .\n");
    const auto pushed = box.compose({"build", "--push"});
    EXPECT_EQ(pushed.exit_code, 0) << pushed.err;
    EXPECT_THAT(pushed.err, AllOf(HasSubstr("d:4 Pushed"), HasSubstr("demo-unnamed Built")));
    box.ok({"image", "rm", registry.name("d:4")});
    box.ok({"image", "pull", "-q", registry.name("d:4")});
}

// Another machine finds the steps that this one has pushed.
TEST(BuildFlags, CachesTravelInImages) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto image = registry.name("app:1"), cache = registry.name("cache:1");
    // As everybody has it: a registry's own layers.
    const auto base = registry.name("base:1");
    box.ok({"image", "tag", "busybox", base});
    box.ok({"image", "push", "-q", base});
    box.ok({"image", "rm", base, "busybox"});
    box.write("f", "x");
    box.write("Dockerfile",
              "FROM " + base + "\nCOPY f /f\nWORKDIR /w\nRUN cat /proc/sys/kernel/random/uuid > /once\nRUN true\n");
    box.ok({"image", "build", "-t", image, "--push", "--cache-to", "type=inline", "--cache-to",
            "type=registry,ref=" + cache, "."});
    EXPECT_THAT(box.ok({"image", "ls"}), Not(HasSubstr("/cache"))) << "what carries the cache is not kept";
    box.ok({"image", "build", "-q", "--cache-to", "type=registry,ref=" + cache, "-t", "built", "."});
    EXPECT_THAT(box.ok({"image", "ls"}), AllOf(Not(HasSubstr("/cache")), Not(HasSubstr("<none>"))));
    const auto once = in_image(box, "cat /once");

    const auto first = box.environment["COMPOSE_STATE_DIR"];
    for (const auto& from : {image, "type=registry,ref=" + cache}) {
        box.environment["COMPOSE_STATE_DIR"] = box.path("../other-" + std::to_string(from.size()));
        const auto done =
            box.compose({"image", "build", "--progress", "plain", "-t", "built", "--cache-from", from, "."});
        EXPECT_EQ(done.exit_code, 0) << done.err;
        EXPECT_EQ(count(done.err, " CACHED"), 4U) << done.err;
        EXPECT_EQ(in_image(box, "cat /once"), once);
        EXPECT_THAT(box.ok({"image", "inspect", "built"}), Not(HasSubstr("compose.build.cache")));
        // Of a service, with another last step; what it is based on gives no cache of its own away.
        box.write("compose.yaml",
                  "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM " + image +
                      "\n        RUN true\n      cache_from: ['" + image + "', '" + registry.name("none:1") + "']\n");
        const auto service = box.compose({"--progress", "plain", "build"});
        EXPECT_EQ(service.exit_code, 0) << service.err;
        EXPECT_THAT(service.err, HasSubstr("none:1 can't be had"));
        EXPECT_THAT(box.ok({"image", "inspect", "demo-web"}), Not(HasSubstr("compose.build.cache")));
    }
    box.environment["COMPOSE_STATE_DIR"] = first;
}

TEST(BuildFlags, DevicesAreThoseThatAreAllowedAndDescribed) {
    REQUIRE_ROOT();
    const Sandbox box;
    const std::string folder = "/etc/cdi";
    ASSERT_TRUE(box.host({"sh", "-c", "mkdir -p " + folder + " && mount -t tmpfs cdi " + folder}).ok());
    sys::write_file(
        folder + "/test.json",
        R"({"cdiVersion": "0.6.0", "kind": "test.example/thing", "devices": [{"name": "one", "containerEdits":
                    {"env": ["THING=1"], "deviceNodes": [{"path": "/dev/thing", "hostPath": "/dev/zero"}]}}]})",
        0644);
    const auto with = [&](const std::string& device, std::vector<std::string> more) {
        return build(box, "FROM busybox\nRUN --device=" + device + " test \"$THING\" = 1 && test -c /dev/thing\n",
                     std::move(more));
    };
    const std::string name = "test.example/thing=one";
    EXPECT_THAT(with(name, {}).err, HasSubstr("is not allowed"));
    EXPECT_EQ(with(name, {"--allow", "device"}).exit_code, 0);
    EXPECT_EQ(with("name=" + name + ",required", {"--allow", "device=" + name, "--no-cache"}).exit_code, 0);
    EXPECT_THAT(with("test.example/thing=two,required", {"--allow", "device"}).err,
                HasSubstr("unresolvable CDI device"));
    EXPECT_THAT(with("test.example/thing=two", {"--allow", "device"}).err, HasSubstr("the step runs without"));
    EXPECT_THAT(with("gpu", {"--allow", "device"}).err, HasSubstr("is no name of a device"));
    EXPECT_EQ(::umount(folder.c_str()), 0);
}

/// Something that answers where an agent would.
class Agent {
public:
    explicit Agent(const Sandbox& box) : path_(box.path("../agent.sock")) {
        process_ = std::make_unique<Background>(
            box,
            std::vector<std::string>{"python3", "-c",
                                     "import socket, sys, threading\n"
                                     "s = socket.socket(socket.AF_UNIX)\n"
                                     "s.bind(sys.argv[1])\n"
                                     "s.listen()\n"
                                     "def serve(c):\n"
                                     "    while data := c.recv(9999):\n"
                                     "        c.sendall(data.upper())\n"
                                     "while True:\n"
                                     "    c, _ = s.accept()\n"
                                     "    threading.Thread(target=serve, args=[c]).start()\n",
                                     path_},
            path_ + ".log");
        EXPECT_TRUE(eventually([&] { return fs::exists(path_); }, std::chrono::seconds(20)));
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
    std::unique_ptr<Background> process_;
};

/// A program for images that says a word to a socket, and prints what is answered.
constexpr const char* kAsk = R"(
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char** argv) {
    struct sockaddr_un address = {AF_UNIX, ""};
    char answer[256];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), size;
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    if (argc != 3 || connect(fd, (struct sockaddr*)&address, sizeof address) != 0) return 1;
    if (write(fd, argv[2], strlen(argv[2])) < 0 || (size = read(fd, answer, sizeof answer)) <= 0) return 1;
    printf("%.*s\n", size, answer);
    return 0;
}
)";

// The socket has the owner and the mode that the step asks for, and the agent answers through it.
TEST(BuildFlags, AnAgentAnswersTheUserOfTheStep) {
    REQUIRE_ROOT();
    const Sandbox box;
    const Agent agent(box);
    box.write("ask.c", kAsk);
    const auto made = box.host({"gcc", "-static", "-O1", "-o", box.path("ask"), box.path("ask.c")});
    ASSERT_TRUE(made.ok()) << made.err;
    built(box,
          "FROM busybox\nCOPY ask /bin/\nRUN chmod 1777 /tmp\nUSER 1000\n"
          "RUN --mount=type=ssh,uid=1000,gid=5,mode=0640 stat -c '%a %u:%g' $SSH_AUTH_SOCK > /tmp/mode; "
          "ask $SSH_AUTH_SOCK one > /tmp/own; ask $SSH_AUTH_SOCK two >> /tmp/own\n"
          "RUN --mount=type=ssh stat -c '%a %u:%g' $SSH_AUTH_SOCK >> /tmp/mode; ask $SSH_AUTH_SOCK no || echo denied > "
          "/tmp/other\n",
          {"--ssh", "default=" + agent.path()});
    EXPECT_EQ(in_image(box, "cat /tmp/mode /tmp/own /tmp/other"), "640 1000:5\n600 0:0\nONE\nTWO\ndenied\n");
    for (const auto& item : fs::directory_iterator(box.run_dir()))
        EXPECT_THAT(item.path().filename().string(), Not(testing::StartsWith("build-")));
}

TEST(BuildFlags, AgentsAreGivenToTheStepsThatAsk) {
    REQUIRE_ROOT();
    Sandbox box;
    const Agent agent(box);
    const std::string file =
        "FROM busybox\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK\n"
        "RUN --mount=type=ssh,id=other,target=/agent,required test -S /agent && test $SSH_AUTH_SOCK = /agent\n"
        "RUN test -z \"$SSH_AUTH_SOCK\" && ! test -e /agent\n";
    built(box, file, {"--ssh", "default=" + agent.path(), "--ssh", "other=" + agent.path()});
    box.environment["SSH_AUTH_SOCK"] = agent.path();
    built(box, file, {"--ssh", "default", "--ssh", "other", "--no-cache"});
    EXPECT_EQ(in_image(box, "sh -c 'test -e /agent; echo $?'"), "1\n");
    EXPECT_THAT(build(box, file, {"--ssh", "default", "--no-cache"}).err,
                HasSubstr("no SSH agent \"other\" was given"));
    box.write("key", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    const auto key = build(box, file, {"--ssh", "default=" + box.path("key")});
    EXPECT_THAT(key.err, AllOf(HasSubstr("is no socket of an SSH agent"), Not(HasSubstr("#1"))));
    box.write("compose.yaml",
              "services:\n  web:\n    build: {context: ., ssh: [default, 'other=" + agent.path() + "']}\n");
    box.ok({"build", "-q", "--no-cache"});
    box.environment.erase("SSH_AUTH_SOCK");
    EXPECT_THAT(box.fails({"build"}), HasSubstr("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set"));
}

class SeveralBuilds : public testing::Test {
protected:
    /// Services of one Dockerfile each.
    void put(const Sandbox& box, const std::vector<std::string>& names, const std::string& step) const {
        std::string file = "services:\n";
        for (const auto& name : names) {
            box.write(name + "/Dockerfile",
                      "FROM busybox\nARG me=" + name + "\nRUN --mount=type=cache,id=c,target=/c " + step + "\n");
            file += "  " + name + ": {build: ./" + name + ", command: sleep 100}\n";
        }
        box.write("compose.yaml", file);
    }
    /// Each waits for the others: alone it fails.
    static constexpr const char* kMeet =
        "touch /c/$me; for i in $(seq 300); do test $(ls /c | wc -l) = 3 && exit 0; sleep 0.1; done; exit 1";
    /// Two at once fail.
    static constexpr const char* kAlone = "mkdir /c/lock && sleep 0.1 && rmdir /c/lock";
};

TEST_F(SeveralBuilds, RunSideBySide) {
    REQUIRE_ROOT();
    const Sandbox box;
    put(box, {"one", "two", "three"}, kMeet);
    const auto done = box.compose({"--progress", "plain", "build"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    for (const char* name : {"one", "two", "three"}) {
        EXPECT_THAT(done.err, HasSubstr(std::string("[") + name + " stage-0 2/2] RUN"));
        EXPECT_THAT(done.err, HasSubstr(std::string(" Image demo-") + name + " Built"));
    }
}

TEST_F(SeveralBuilds, OfUpTo) {
    REQUIRE_ROOT();
    const Sandbox box;
    put(box, {"one", "two", "three"}, kMeet);
    box.ok({"up", "-d"});
    EXPECT_NE(box.pid_of("demo-three-1"), 0);
}

TEST_F(SeveralBuilds, AreNoMoreThanTheLimit) {
    REQUIRE_ROOT();
    Sandbox box;
    put(box, {"one", "two", "three"}, kAlone);
    const auto once = box.compose({"--parallel", "1", "build"});
    EXPECT_EQ(once.exit_code, 0) << once.err;
    box.environment["COMPOSE_PARALLEL_LIMIT"] = "1";
    const auto again = box.compose({"build", "--no-cache"});
    EXPECT_EQ(again.exit_code, 0) << again.err;
}

TEST_F(SeveralBuilds, OfOneDockerfileShareTheirSteps) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("Dockerfile",
              "FROM busybox AS base\nRUN sleep 0.2; echo once > /f\nFROM base AS a\nFROM base AS b\nRUN true\n");
    box.write("compose.yaml",
              "services:\n  a: {build: {context: ., target: a}}\n  b: {build: {context: ., target: b}}\n");
    const auto done = box.compose({"--progress", "plain", "build"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(count(done.err, "CACHED"), 1U) << done.err;
}

TEST_F(SeveralBuilds, EndWithTheFirstThatFails) {
    REQUIRE_ROOT();
    const Sandbox box;
    put(box, {"good", "bad"}, "test $me = good && sleep 30 || exit 9");
    const auto began = std::chrono::steady_clock::now();
    const auto error = box.fails({"build"});
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(25));
    EXPECT_THAT(error, AllOf(HasSubstr("the build of \"bad\" failed"), HasSubstr("ended with exit code 9")));
    fs::remove_all(box.path("bad"));
    EXPECT_THAT(box.fails({"build", "bad"}), HasSubstr("build bad: the build context"));
}

TEST(BuildTerminal, ShowsWhatIsAtWorkAndLeavesWhatIsDone) {
    REQUIRE_ROOT();
    const Sandbox box;

    box.write("Dockerfile",
              "FROM busybox\nRUN --mount=type=cache,id=c,target=/c printf 'a \\033[41mline\\n'; while ! test -e "
              "/c/go; do sleep 0.1; done\nRUN exit 3\n");
    Terminal terminal({COMPOSE_BINARY, "image", "build", "-t", "built", "."}, box.environment, box.folder());
    EXPECT_TRUE(terminal.shows(" => => a [41mline")) << "the step's output, without what moves the cursor";
    EXPECT_TRUE(terminal.shows("FROM busybox"));
    terminal.resize(10, 30);
    ASSERT_EQ(box.compose({"image", "build", "-q", "-f", "-", "."},
                          "FROM busybox\nRUN --mount=type=cache,id=c,target=/c touch /c/go\n")
                  .exit_code,
              0);
    EXPECT_EQ(terminal.wait(), 1);
    EXPECT_TRUE(terminal.shows("ERROR [stage-0 3/3] RUN exit 3"));
    EXPECT_THAT(terminal.screen(), HasSubstr("ended with exit code 3"));
    EXPECT_THAT(terminal.screen(), HasSubstr("\033[J")) << "drawn over, not below";
    EXPECT_THAT(terminal.screen(), Not(HasSubstr("\033[41m")));
}

TEST(BuildTerminal, AnInterruptEndsTheStep) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("Dockerfile", "FROM busybox\nRUN echo begun; sleep 300\n");
    Terminal terminal({COMPOSE_BINARY, "image", "build", "."}, box.environment, box.folder());
    EXPECT_TRUE(terminal.shows("begun"));
    terminal.type("\x03");
    EXPECT_EQ(terminal.wait(), 130);
}

}  // namespace
}  // namespace compose::test
