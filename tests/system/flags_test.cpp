// The flags of commands about containers that exist: each does what its help says.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/sandbox.hpp"
#include "support/terminal.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kThree = R"(
services:
  web: {image: busybox, command: "sh -c 'echo from $$(hostname); sleep 1000'", scale: 3, stop_grace_period: 0s, ports: ["80"]}
  job: {image: busybox, command: "sh -c 'exit 3'", volumes: ["/scratch"]}
)";

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> out;
    for (auto& line : split(text, '\n'))
        if (!line.empty()) out.push_back(std::move(line));
    return out;
}

TEST(Flags, OfPsAndLs) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kThree);
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return box.field("demo-job-1", "State") == "exited"; }));
    EXPECT_EQ(box.ok({"ps", "--services"}), "web\n");
    EXPECT_EQ(box.ok({"ps", "-a", "--services"}), "job\nweb\n");
    EXPECT_EQ(box.ok({"ps", "--status", "exited", "--format", "{{.Name}}"}), "demo-job-1\n");
    EXPECT_EQ(box.ok({"ps", "--filter", "status=exited", "--format", "{{.Name}}"}), "demo-job-1\n");
    EXPECT_EQ(words_of(box.ok({"ps", "-q", "web"})).size(), 3U);
    EXPECT_THAT(words_of(box.ok({"ps", "-q", "--no-trunc", "web"})), testing::Each(testing::SizeIs(64)));
    EXPECT_THAT(box.ok({"ps"}), Not(HasSubstr("echo from $(hostname); sleep")));
    EXPECT_THAT(box.ok({"ps", "--no-trunc"}), HasSubstr("echo from $(hostname); sleep"));
    EXPECT_THAT(box.fails({"ps", "--status", "asleep"}), HasSubstr("asleep"));
    EXPECT_THAT(box.fails({"ps", "nosuch"}), HasSubstr("no such service: nosuch"));
    box.write("compose.yaml", "services: {job: {image: busybox, command: \"sh -c 'exit 3'\", volumes: [/scratch]}}\n");
    EXPECT_EQ(words_of(box.ok({"ps", "-q"})).size(), 3U) << "orphans are shown";
    EXPECT_EQ(box.ok({"ps", "-q", "--orphans=false"}), "");
    EXPECT_THAT(box.ok({"ls"}), testing::ContainsRegex("demo +running\\(3\\) +/"));
    EXPECT_THAT(box.ok({"ls", "-a"}), testing::ContainsRegex("demo +exited\\(1\\), running\\(3\\) +/"));
    EXPECT_EQ(box.ok({"ls", "-q", "--filter", "name=dem"}), "demo\n");
    EXPECT_EQ(box.ok({"ls", "-q", "--filter", "name=other"}), "");
    box.ok({"kill", "--remove-orphans"});
    EXPECT_EQ(box.ok({"ls", "-q"}), "");
    EXPECT_EQ(box.ok({"ls", "-qa"}), "demo\n");
}

TEST(Flags, PickOneOfSeveral) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kThree);
    box.ok({"up", "-d"});
    const auto host = [&](const char* index) {
        return std::string(trim(box.ok({"exec", "-T", "--index", index, "web", "hostname"})));
    };
    ASSERT_NE(host("1"), host("2"));
    ASSERT_TRUE(eventually([&] { return words_of(box.ok({"logs", "web"})).size() == 3; }));
    EXPECT_EQ(box.ok({"logs", "--no-log-prefix", "--index", "2", "web"}), "from " + host("2") + "\n");
    EXPECT_NE(box.ok({"port", "--index", "1", "web", "80"}), box.ok({"port", "--index", "3", "web", "80"}));
    EXPECT_THAT(box.fails({"exec", "-T", "--index", "4", "web", "true"}), HasSubstr("#4"));
    box.write("file", "text\n");
    box.ok({"cp", "--index", "2", "file", "web:/one"});
    box.ok({"cp", "file", "web:/each"});
    for (const char* index : {"1", "2", "3"}) {
        EXPECT_EQ(box.ok({"exec", "-T", "--index", index, "web", "cat", "/each"}), "text\n");
        EXPECT_EQ(box.compose({"exec", "-T", "--index", index, "web", "cat", "/one"}).exit_code == 0, *index == '2');
    }
    box.ok({"cp", "--index", "2", "web:/one", "back"});
    EXPECT_EQ(sys::read_file(box.path("back")), "text\n");
    box.ok({"export", "--index", "2", "-o", "two.tar", "web"});
    EXPECT_THAT(box.host({"tar", "-tf", box.path("two.tar")}).out, HasSubstr("one\n"));
    box.ok({"commit", "--index", "2", "-a", "somebody", "-p=false", "web", "two:1"});
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--no-deps", "job", "true"}), "");
    EXPECT_THAT(box.ok({"image", "inspect", "two:1"}), HasSubstr("\"somebody\""));
    box.ok({"image", "rm", "two:1"});
}

TEST(Flags, CpKeepsOwnersWhenAsked) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kThree);
    box.ok({"up", "-d", "--scale", "web=1"});
    box.write("file", "text\n");
    ASSERT_TRUE(box.host({"chown", "12:34", box.path("file")}).ok());
    box.ok({"cp", "file", "web:/plain"});
    box.ok({"cp", "-a", "file", "web:/kept"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "stat", "-c", "%u:%g", "/plain", "/kept"}), "0:0\n12:34\n");
    // With --all, containers of `run` are targets too.
    box.ok({"run", "-d", "--name", "oneoff", "web", "sleep", "1000"});
    box.ok({"cp", "--all", "file", "web:/all"});
    EXPECT_EQ(box.ok({"container", "exec", "oneoff", "cat", "/all"}), "text\n");
    box.ok({"down", "-v", "-t", "0", "--remove-orphans"});
}

TEST(Flags, OfRun) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    ports: ["18471:80"]
    environment: {A: file, B: file, C: file}
    cap_drop: [CHOWN]
  peer: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
)");
    box.write("more.env", "B=env-file\nC=env-file\n");
    box.write("dir/file", "bound\n");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--cap-add", "CHOWN", "--cap-drop", "KILL", "web", "grep", "CapEff",
                      "/proc/self/status"}),
              "CapEff:\t00000000a80425db\n");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--env-from-file", "more.env", "-e", "C=flag", "web", "sh", "-c",
                      "echo $A $B $C"}),
              "file env-file flag\n");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "-v", "./dir:/dir:ro", "web", "cat", "/dir/file"}), "bound\n");
    EXPECT_THAT(box.fails({"run", "-l", "nokey", "web"}), HasSubstr("write KEY=VALUE"));
    box.ok({"run", "-d", "--name", "labelled", "-l", "mine=1", "-p", "18472:81", "--use-aliases", "web"});
    EXPECT_THAT(box.field("labelled", "Labels"), HasSubstr("mine=1"));
    EXPECT_THAT(box.field("labelled", "Ports"), testing::StartsWith("0.0.0.0:18472->81/tcp"));
    box.ok({"up", "-d", "peer"});
    EXPECT_EQ(box.compose({"exec", "-T", "peer", "ping", "-c", "1", "-W", "2", "web"}).exit_code, 0);
    box.ok({"container", "rm", "-f", "labelled"});
    EXPECT_NE(box.compose({"exec", "-T", "peer", "nslookup", "web"}).exit_code, 0);
    box.ok({"run", "-d", "--name", "served", "--service-ports", "web"});
    EXPECT_THAT(box.field("served", "Ports"), testing::StartsWith("0.0.0.0:18471->80/tcp"));
    EXPECT_THAT(box.fails({"run", "-P", "-p", "1:1", "web"}),
                HasSubstr("--service-ports and --publish exclude each other"));
    EXPECT_EQ(box.ok({"run", "--rm", "-q", "-T", "--quiet-pull", "--no-build", "web", "echo", "x"}), "x\n");
    EXPECT_THAT(box.fails({"run", "-T", "-t", "web"}), HasSubstr("--no-tty"));
    // Orphans go when asked, the one-off is none of them.
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, ports: ['18471:80']}}\n");
    box.ok({"run", "--rm", "-T", "web", "true"});
    EXPECT_EQ(box.field("demo-peer-1", "State"), "running");
    box.ok({"run", "--rm", "-T", "--remove-orphans", "web", "true"});
    EXPECT_EQ(box.field("demo-peer-1", "State"), "");
    box.ok({"down", "--remove-orphans"});
}

TEST(Flags, OfAttach) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    stdin_open: true
    tty: true
    scale: 2
    stop_grace_period: 0s
    command: ["sh", "-c", "while :; do if read l; then echo $$(hostname) read $$l; fi; done"]
  plain:
    image: busybox
    stop_grace_period: 0s
    command: ["sh", "-c", "trap 'echo got TERM' TERM; while :; do sleep 0.05; done"]
)");
    box.ok({"up", "-d"});
    const auto second = std::string(trim(box.ok({"exec", "-T", "--index", "2", "web", "hostname"})));
    {
        Terminal at({COMPOSE_BINARY, "attach", "--index", "2", "--detach-keys", "ctrl-x,q", "web"}, box.environment,
                    box.folder());
        at.type("hello\n");
        EXPECT_TRUE(at.shows(second + " read hello")) << at.screen();
        at.type("\x18q");
        EXPECT_EQ(at.wait(), 0) << at.screen();
    }
    EXPECT_EQ(box.field("demo-web-2", "State"), "running");
    {
        Terminal at({COMPOSE_BINARY, "attach", "--no-stdin", "--index", "2", "web"}, box.environment, box.folder());
        EXPECT_EQ(box.compose({"exec", "-T", "--index", "2", "web", "sh", "-c", "echo shown > /proc/1/fd/1"}).exit_code,
                  0);
        EXPECT_TRUE(eventually([&] {
            (void)box.compose({"exec", "-T", "--index", "2", "web", "sh", "-c", "echo shown > /proc/1/fd/1"});
            return at.shows("shown", std::chrono::milliseconds(200));
        }));
    }
    // A signal goes to the container; with --sig-proxy=false it ends the one who looks.
    const auto interrupted = [&](const std::string& flags) {
        return sys::run_command(
                   {.argv = {"sh", "-c",
                             std::string("c=" COMPOSE_BINARY "; $c attach --no-stdin ") + flags +
                                 " plain > at.out 2>&1 & p=$!; for i in $(seq 200); do $c exec -T plain sh -c "
                                 "'echo mark > /proc/1/fd/1'; grep -q mark at.out && break; done; kill -TERM $p; "
                                 "for i in $(seq 40); do grep -q 'got TERM' at.out && break; kill -0 $p || break; "
                                 "sleep 0.05; done; cat at.out; kill -9 $p"},
                    .environment = box.environment,
                    .working_dir = box.folder(),
                    .timeout = std::chrono::seconds(30)})
            .out;
    };
    EXPECT_THAT(interrupted(""), HasSubstr("got TERM"));
    EXPECT_THAT(interrupted("--sig-proxy=false"), Not(HasSubstr("got TERM")));
}

TEST(Flags, OfStatsVolumesVersionAndExplain) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, volumes: ["data:/d"], stop_grace_period: 0s}
  done: {image: busybox, command: "seq 1 30"}
volumes: {data: {}, unused: {}}
)");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return box.field("demo-done-1", "State") == "exited"; }));
    EXPECT_THAT(box.ok({"stats", "--no-stream"}), Not(HasSubstr("demo-done-1")));
    EXPECT_THAT(box.ok({"stats", "--no-stream", "-a"}), HasSubstr("demo-done-1"));
    EXPECT_THAT(box.ok({"stats", "--no-stream", "--no-trunc"}), testing::ContainsRegex("[0-9a-f]{64}"));
    EXPECT_THAT(box.ok({"stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}"}), HasSubstr("demo-web-1 1\n"));
    const auto volume = parse_json(std::string(trim(box.ok({"volumes", "--format", "json"})))).as_object();
    EXPECT_EQ(string_or(volume, "Name"), "demo_data");
    EXPECT_EQ(box.ok({"volumes", "--format", "{{.Driver}}", "web"}), "local\n");
    EXPECT_EQ(box.ok({"volumes", "-q", "done"}), "");
    EXPECT_THAT(box.ok({"version", "--short"}), testing::MatchesRegex("[0-9]+\\.[0-9.]+.*\n"));
    EXPECT_EQ(string_or(parse_json(box.ok({"version", "-f", "json"})).as_object(), "version"),
              std::string(trim(box.ok({"version", "--short"}))));
    const auto few = box.ok({"explain", "-n", "2", "done"});
    EXPECT_THAT(few, HasSubstr("30"));
    EXPECT_THAT(few, Not(HasSubstr("28")));
    const auto images = parse_json(box.ok({"images", "--format", "json"})).as_array();
    ASSERT_EQ(images.size(), 2U);
    EXPECT_EQ(string_or(images[0].as_object(), "Repository"), "busybox");
    EXPECT_THAT(box.ok({"images", "-q"}), testing::MatchesRegex("[0-9a-f]+\n"));
    box.ok({"rm", "-f", "-v", "done"});
    EXPECT_EQ(box.field("demo-done-1", "State"), "");
    box.ok({"down", "-v"});
}

TEST(Flags, RmTakesAnonymousVolumes) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kThree);
    box.ok({"up", "-d", "job"});
    ASSERT_TRUE(eventually([&] { return box.field("demo-job-1", "State") == "exited"; }));
    EXPECT_EQ(words_of(box.ok({"volume", "ls", "-q"})).size(), 1U);
    {
        Terminal rm({COMPOSE_BINARY, "rm", "-v"}, box.environment, box.folder());
        EXPECT_TRUE(rm.shows("Going to remove demo-job-1")) << rm.screen();
        rm.type("n\n");
        (void)rm.wait();
    }
    EXPECT_EQ(box.field("demo-job-1", "State"), "exited");
    box.ok({"rm", "-f", "-v"});
    EXPECT_EQ(box.ok({"volume", "ls", "-q"}), "");
    box.ok({"down"});
}

TEST(Flags, WaitTakesTheProjectDown) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  job: {image: busybox, command: "sh -c 'sleep 0.5; exit 7'"}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.compose({"wait", "--down-project", "job"}).exit_code, 7);
    EXPECT_TRUE(box.ps().empty());
    EXPECT_EQ(box.ok({"network", "ls", "-q", "--filter", "name=demo_default"}), "");
    EXPECT_THAT(box.fails({"wait", "nosuch"}), HasSubstr("no such service: nosuch"));
}

TEST(Flags, StartStopAndTheirNeighbours) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kThree);
    EXPECT_THAT(box.fails({"start"}), HasSubstr("no container"));
    EXPECT_EQ(box.compose({"pause"}).exit_code, 0);
    EXPECT_EQ(box.ok({"restart"}), "");
    const auto nothing = box.compose({"kill", "web"});
    EXPECT_EQ(nothing.exit_code, 0);
    EXPECT_THAT(nothing.err, HasSubstr("No container to kill"));
    EXPECT_EQ(box.compose({"stop"}).exit_code, 0);
    EXPECT_EQ(box.compose({"unpause"}).exit_code, 0);
    box.ok({"up", "-d", "web"});
    EXPECT_EQ(box.ok({"start", "web"}), "");
    EXPECT_THAT(box.fails({"kill", "-s", "NOPE"}), HasSubstr("NOPE"));
    EXPECT_THAT(box.fails({"unpause", "web"}), HasSubstr("container demo-web-1 is not paused"));
    box.ok({"kill", "-s", "SIGKILL", "web"});
    EXPECT_EQ(box.field("demo-web-1", "ExitCode"), "137");
    box.ok({"scale", "web=2"});
    EXPECT_EQ(box.field("demo-web-3", "State"), "");
    EXPECT_THAT(box.fails({"scale", "web"}), HasSubstr("web"));
    EXPECT_THAT(box.fails({"scale", "nosuch=1"}), HasSubstr("nosuch"));
}

TEST(Flags, ScaleWithAndWithoutDependencies) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [db]}
)");
    box.ok({"up", "-d"});
    box.ok({"scale", "db=2"});
    box.ok({"scale", "--no-deps", "web=2"});
    EXPECT_EQ(box.ps().size(), 4U);
    box.ok({"scale", "web=1"});
    EXPECT_EQ(box.ps().size(), 2U) << "dependencies are as many as the file says";
}

}  // namespace
}  // namespace compose::test
