// Commands about single containers: pause, cp, export, commit, attach, run, rm, port, top, stats, wait, events, ls.
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kOne = "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n";

TEST(Containers, PauseStopsTheProcessesAndStopThawsThem) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: \"sh -c 'while :; do echo x >> /n; sleep 0.05; done'\", "
              "stop_grace_period: 0s}}\n");
    box.ok({"up", "-d"});
    box.ok({"pause"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "paused");
    EXPECT_THAT(box.field("demo-web-1", "Status"), HasSubstr("(Paused)"));
    EXPECT_THAT(box.fails({"pause", "web"}), HasSubstr("already paused"));
    EXPECT_THAT(box.fails({"exec", "-T", "web", "true"}), HasSubstr("paused"));
    const auto before = box.ok({"cp", "web:/n", "-"}).size();
    EXPECT_EQ(box.ok({"cp", "web:/n", "-"}).size(), before);
    // An unchanged up leaves it as it is.
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "paused");
    box.ok({"unpause"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    box.ok({"pause"});
    box.ok({"stop"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited");
    box.ok({"start"});
    box.ok({"pause"});
    box.ok({"down"});
    EXPECT_TRUE(box.ps().empty());
}

TEST(Containers, APausedOneIsFoundPausedByTheNextSupervisor) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kOne);
    box.ok({"up", "-d"});
    box.ok({"pause"});
    const int supervisor = box.resident_pid("supervisor");
    ASSERT_GT(supervisor, 0);
    ::kill(supervisor, SIGKILL);
    ASSERT_TRUE(eventually([&] {
        const int now = box.resident_pid("supervisor");
        return now > 0 && now != supervisor;
    }));
    EXPECT_EQ(box.field("demo-web-1", "State"), "paused");
    box.ok({"unpause"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "echo", "alive"}), "alive\n");
}

TEST(Containers, CopyInAndOutFollowsDockersRules) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, "
              "volumes: [data:/data]}}\nvolumes: {data: {}}\n");
    box.ok({"up", "-d"});
    box.write("one.txt", "first\n");
    std::filesystem::create_directories(box.path("tree/deep"));
    box.write("tree/deep/two.txt", "second\n", 0640);
    box.ok({"cp", "one.txt", "web:/tmp"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/tmp/one.txt"}), "first\n");
    box.ok({"cp", "one.txt", "web:/tmp/other"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/tmp/other"}), "first\n");
    box.ok({"cp", "tree", "web:/tmp"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "stat", "-c", "%a %u", "/tmp/tree/deep/two.txt"}), "640 0\n");
    box.ok({"cp", "tree/.", "web:/data"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/data/deep/two.txt"}), "second\n");
    EXPECT_THAT(box.fails({"cp", "tree", "web:/tmp/one.txt"}), HasSubstr("cannot copy a directory"));
    EXPECT_THAT(box.fails({"cp", "one.txt", "web:/none/x"}), HasSubstr("no such directory"));
    EXPECT_THAT(box.fails({"cp", "web:/none", "."}), HasSubstr("could not find"));

    box.ok({"cp", "web:/tmp/tree", "back"});
    EXPECT_EQ(sys::read_file(box.path("back/deep/two.txt")), "second\n");
    // A stopped container has its volumes too.
    box.ok({"stop"});
    box.ok({"cp", "one.txt", "web:/data/late"});
    box.ok({"cp", "web:/data/late", "late.txt"});
    EXPECT_EQ(sys::read_file(box.path("late.txt")), "first\n");
    box.ok({"start"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/data/late"}), "first\n");
    const auto tar = box.ok({"cp", "web:/data", "-"});
    box.ok({"exec", "-T", "web", "mkdir", "/unpacked"});
    box.ok({"cp", "-", "web:/unpacked"}, tar);
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/unpacked/data/late"}), "first\n");
}

TEST(Containers, CopyNeverLeavesTheContainer) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kOne);
    box.ok({"up", "-d"});
    const auto canary = box.path("canary");
    box.write("canary", "host\n", 0600);
    std::filesystem::create_directories(box.path("target"));
    box.ok({"exec", "-T", "web", "sh", "-c",
            "ln -s " + canary + " /link; ln -s /proc/1/root/" + canary + " /magic; mkdir -p /out; ln -s " +
                box.path("target") + " /out/dir; printf 'evil\\n' > /evil; chmod 4755 /evil"});
    // A link to a host path is a link, and followed inside.
    EXPECT_THAT(box.fails({"cp", "-L", "web:/link", "got"}), HasSubstr("could not find"));
    box.ok({"cp", "web:/link", "got"});
    EXPECT_TRUE(std::filesystem::is_symlink(box.path("got")));
    box.write("new", "mine\n");
    (void)box.compose({"cp", "new", "web:/link"});
    (void)box.compose({"cp", "new", "web:/magic"});
    (void)box.compose({"cp", "new", "web:/out/dir"});
    EXPECT_EQ(sys::read_file(canary), "host\n");
    EXPECT_TRUE(std::filesystem::is_empty(box.path("target")));
    // Links that come with a tree are made, and nothing is written through them.
    box.ok({"cp", "web:/out", "copied"});
    EXPECT_TRUE(std::filesystem::is_symlink(box.path("copied/dir")));
    box.ok({"cp", "web:/evil", "evil"});
    EXPECT_EQ(std::filesystem::status(box.path("evil")).permissions() & std::filesystem::perms::set_uid,
              std::filesystem::perms::none);
    // Somebody swaps a folder for a link all the while.
    box.ok({"exec", "-d", "web", "sh", "-c",
            "mkdir -p /swap/real; while :; do ln -sfn " + box.path("target") +
                " /swap/t; rm -rf /swap/t; mkdir /swap/t; rmdir /swap/t; done"});
    for (int i = 0; i < 30; ++i) (void)box.compose({"cp", "new", "web:/swap/t/"});
    EXPECT_TRUE(std::filesystem::is_empty(box.path("target")));
    EXPECT_EQ(sys::read_file(canary), "host\n");
}

TEST(Containers, ExportDiffersFromCommitOnlyInForm) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kOne);
    box.ok({"up", "-d"});
    box.ok({"exec", "-T", "web", "sh", "-c", "echo kept > /made; rm /etc/passwd; mkdir /folder"});
    box.ok({"export", "web", "-o", "root.tar"});
    const auto names = box.host({"tar", "-tf", box.path("root.tar")}).out;
    EXPECT_THAT(names, HasSubstr("made\n"));
    EXPECT_THAT(names, HasSubstr("folder/\n"));
    EXPECT_THAT(names, Not(HasSubstr("etc/passwd\n")));
    box.ok({"commit", "-m", "changed", "-c", "ENV ADDED=yes", "web", "mine:1"});
    box.write("compose.yaml", "services: {web: {image: 'mine:1', command: sleep 1000, stop_grace_period: 0s}}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "sh", "-c", "cat /made; echo $ADDED; ls /etc/passwd 2>&1 | grep -c No"}),
              "kept\nyes\n1\n");
    box.ok({"down"});
    box.ok({"image", "rm", "mine:1"});
}

TEST(Containers, AttachSharesTheStreamsOfTheProcess) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {web: {image: busybox, stdin_open: true, stop_grace_period: 0s, command: \"sh -c 'while read "
              "l; do echo got $$l; [ $$l = end ] && exit 5; done'\"}}\n");
    box.ok({"up", "-d"});
    const auto result = box.compose({"attach", "web"}, "one\nend\n");
    EXPECT_EQ(result.exit_code, 5);
    EXPECT_EQ(result.out, "got one\ngot end\n");
    EXPECT_THAT(box.ok({"logs", "--no-log-prefix"}), HasSubstr("got one\ngot end\n"));
    EXPECT_THAT(box.fails({"attach", "web"}), HasSubstr("is not running"));
}

TEST(Containers, RunMakesOneOfItsOwn) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db:
    image: busybox
    command: sh -c 'sleep 0.3; touch /ready; sleep 1000'
    healthcheck: {test: "test -e /ready", interval: 100ms}
    stop_grace_period: 0s
  web:
    image: busybox
    command: echo default
    environment: {A: file}
    depends_on: {db: {condition: service_healthy}}
    restart: always
    ports: ["18080:80"]
)");
    EXPECT_EQ(box.ok({"run", "--rm", "web"}), "default\n");
    EXPECT_EQ(box.field("demo-db-1", "Health"), "healthy");
    const auto failed =
        box.compose({"run", "--rm", "-T", "-e", "B=flag", "web", "sh", "-c", "echo $A $B; echo e >&2; exit 9"});
    EXPECT_EQ(failed.exit_code, 9);
    EXPECT_EQ(failed.out, "file flag\n");
    EXPECT_THAT(failed.err, HasSubstr("e\n"));
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "web", "cat"}, "through\n"), "through\n");
    EXPECT_EQ(box.ok({"run", "--rm", "-w", "/tmp", "-u", "7:8", "--entrypoint", "sh -c", "web", "pwd; id -u; id -g"}),
              "/tmp\n7\n8\n");
    EXPECT_EQ(box.ps().size(), 1U);
    // Much output is never cut short.
    const auto many = box.ok({"run", "--rm", "--no-deps", "web", "seq", "1", "200000"});
    EXPECT_THAT(many, testing::EndsWith("\n200000\n"));
    EXPECT_EQ(many.size(), 1288895U);
    const auto id = std::string(trim(box.ok({"run", "-d", "--name", "special", "web", "sleep", "1000"})));
    EXPECT_EQ(id.size(), 64U);
    EXPECT_EQ(box.field("special", "State"), "running");
    EXPECT_EQ(box.field("special", "Service"), "web");
    EXPECT_EQ(box.field("special", "Ports"), "");
    EXPECT_THAT(box.field("special", "Labels"), HasSubstr("com.docker.compose.oneoff=True"));
    // It is no replica.
    box.ok({"up", "-d", "--no-deps", "web"});
    EXPECT_EQ(box.field("special", "State"), "running");
    EXPECT_THAT(box.fails({"run", "--rm", "web", "nosuch"}, 127), HasSubstr("nosuch"));
    box.ok({"down", "--remove-orphans", "-t", "0"});
}

TEST(Containers, SmallQuestions) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, ports: ["18081:80", "127.0.0.1:18082:81/udp"], stop_grace_period: 0s, volumes: [data:/d, /unnamed]}
  job: {image: busybox, command: "sh -c 'exit 3'"}
volumes: {data: {}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"port", "web", "80"}), "0.0.0.0:18081\n");
    EXPECT_EQ(box.ok({"port", "--protocol", "udp", "web", "81"}), "127.0.0.1:18082\n");
    EXPECT_EQ(box.ok({"port", "--protocol", "UDP", "web"}), "81/udp -> 127.0.0.1:18082\n");
    EXPECT_THAT(box.ok({"port", "web"}),
                AllOf(HasSubstr("80/tcp -> 0.0.0.0:18081\n"), HasSubstr("81/udp -> 127.0.0.1:18082\n")));
    EXPECT_THAT(box.fails({"port", "web", "82"}), HasSubstr("no port 82/tcp for container demo-web-1"));
    const auto top = box.ok({"top"});
    EXPECT_THAT(top, HasSubstr("UID"));
    EXPECT_THAT(top, HasSubstr("sleep 1000"));
    EXPECT_THAT(box.ok({"stats", "--no-stream"}), HasSubstr("demo-web-1"));
    const auto stats = parse_json(box.ok({"stats", "--no-stream", "--format", "json"}));
    EXPECT_EQ(string_or(stats.as_object(), "Name"), "demo-web-1");
    EXPECT_THAT(string_or(stats.as_object(), "CPUPerc"), testing::EndsWith("%"));
    EXPECT_THAT(string_or(stats.as_object(), "MemUsage"), testing::MatchesRegex(".+ / .+GiB"));
    EXPECT_EQ(box.compose({"wait", "job"}).exit_code, 3);
    const auto list = parse_json(box.ok({"ls", "-a", "--format", "json"}));
    ASSERT_EQ(list.as_array().size(), 1U);
    EXPECT_EQ(string_or(list.as_array()[0].as_object(), "Status"), "exited(1), running(1)");
    EXPECT_EQ(box.ok({"ls", "-q"}), "demo\n");
    EXPECT_EQ(box.ok({"volumes", "-q"}), "demo_data\n");
    EXPECT_THAT(box.ok({"volumes"}), HasSubstr("DRIVER"));
    box.ok({"rm", "-f"});
    EXPECT_EQ(box.field("demo-job-1", "State"), "");
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    box.ok({"rm", "-fs", "web"});
    EXPECT_TRUE(box.ps().empty());
    box.ok({"create"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "created");
    box.ok({"scale", "job=3"});
    EXPECT_NE(box.field("demo-job-3", "State"), "");
    box.ok({"down", "-v"});
}

TEST(Containers, EventsAreToldAsTheyHappen) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kOne);
    box.write("labels.yaml", "services: {web: {labels: {team: blue}}}\n");
    box.ok({"-f", "compose.yaml", "-f", "labels.yaml", "up", "-d"});
    box.ok({"exec", "-T", "web", "true"});
    box.ok({"kill", "-s", "HUP"});
    box.ok({"restart", "-t", "0"});
    box.ok({"run", "--rm", "-T", "web", "true"});
    box.ok({"down", "-t", "0"});
    std::vector<std::string> actions;
    for (const auto& line : split(box.ok({"events", "--json", "--since", "10m", "--until", "0s"}), '\n')) {
        if (line.empty()) continue;
        const auto event = parse_json(line).as_object();
        EXPECT_EQ(string_or(event, "service"), "web");
        EXPECT_EQ(string_or(event, "type"), "container");
        actions.push_back(string_or(event, "action"));
        const auto& attributes = event.at("attributes").as_object();
        EXPECT_EQ(string_or(attributes, "name"), "demo-web-1") << "what run makes is not shown";
        EXPECT_EQ(string_or(attributes, "team"), "blue");
        EXPECT_EQ(line.find("com.docker.compose."), std::string::npos) << line;
        EXPECT_EQ(event.size(), 6U) << line;
    }
    const auto die = std::find(actions.begin(), actions.end(), "die");
    EXPECT_THAT(std::vector<std::string>(die, actions.end()),
                testing::ElementsAre("die", "stop", "start", "restart", "kill", "die", "destroy"));
    EXPECT_THAT(actions, testing::IsSupersetOf({"create", "start", "exec_create: true", "exec_start: true", "exec_die",
                                                "kill", "die", "destroy"}));
    EXPECT_THAT(box.fails({"events", "nosuch"}), HasSubstr("no such service: nosuch"));
}

}  // namespace
}  // namespace compose::test
