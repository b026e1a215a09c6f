// Crashes: supervisor and command killed at bad moments, and what is promised afterwards.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;

TEST(Faults, TheSupervisorDiesAndNobodyNotices) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000}
  short: {image: busybox, command: "sh -c 'sleep 1; exit 9'"}
)");
    box.ok({"up", "-d"});
    const int web = box.pid_of("demo-web-1");
    const int before = box.resident_pid("supervisor");
    ASSERT_NE(before, 0);
    ASSERT_EQ(::kill(before, SIGKILL), 0);
    const auto killed = std::chrono::steady_clock::now();
    ASSERT_TRUE(eventually([&] {
        const int now = box.resident_pid("supervisor");
        return now != 0 && now != before;
    }));
    EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::milliseconds(400));
    EXPECT_EQ(box.ok({"exec", "-T", "web", "echo", "alive"}), "alive\n");
    EXPECT_EQ(box.pid_of("demo-web-1"), web);
    EXPECT_TRUE(eventually([&] { return box.field("demo-short-1", "ExitCode") == "9"; }));
}

TEST(Faults, WhoLooksAtLogsGoesOnLooking) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: ["sh", "-c", "i=0; while :; do i=$$((i + 1)); echo line $$i; sleep 0.05; done"]
    stop_grace_period: 0s
)");
    box.ok({"up", "-d"});
    for (const char* log : {"logs.out", "up.out"}) box.write(log, "");
    const Background logs(box, {COMPOSE_BINARY, "logs", "-f", "--no-log-prefix"}, box.path("logs.out"));
    const Background up(box, {COMPOSE_BINARY, "up"}, box.path("up.out"));
    const auto lines = [&](const char* log) {
        std::vector<std::string> out;
        for (const auto& line : split(sys::read_file(box.path(log)), '\n'))
            if (const auto at = line.find("line "); at != std::string::npos) out.push_back(line.substr(at));
        return out;
    };
    for (const char* log : {"logs.out", "up.out"}) ASSERT_TRUE(eventually([&] { return lines(log).size() > 3; }));
    const int before = box.resident_pid("supervisor");
    ASSERT_EQ(::kill(before, SIGKILL), 0);
    ASSERT_TRUE(eventually([&] {
        const int now = box.resident_pid("supervisor");
        return now != 0 && now != before;
    }));
    for (const char* log : {"logs.out", "up.out"}) {
        const auto then = lines(log).size();
        EXPECT_TRUE(eventually([&] { return lines(log).size() > then + 10; })) << log;
        // None lost, none twice.
        auto seen = lines(log);
        seen.pop_back();  // it may be in writing
        for (std::size_t i = 1; i < seen.size(); ++i)
            EXPECT_EQ(std::stoi(seen[i].substr(5)), std::stoi(seen[i - 1].substr(5)) + 1) << log;
    }
}

TEST(Faults, WhoIsAttachedOrRunsACommandIsNotLeftAlone) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: ["sh", "-c", "while [ ! -e /stop ]; do echo line; sleep 0.05; done; echo last; exit 5"]
)");
    box.ok({"up", "-d"});
    for (const char* log : {"attach.out", "exec.out"}) box.write(log, "");
    const auto shell = [&](const std::string& command) {
        return std::vector<std::string>{"sh", "-c", std::string(COMPOSE_BINARY) + " " + command + "; echo code $?"};
    };
    const Background attached(box, shell("attach --no-stdin web"), box.path("attach.out"));
    const Background command(box,
                             shell("exec -T web sh -c 'while [ ! -e /done ]; do echo line; sleep 0.05; done; exit 7'"),
                             box.path("exec.out"));
    const auto text = [&](const char* log) { return sys::read_file(box.path(log)); };
    for (const char* log : {"attach.out", "exec.out"})
        ASSERT_TRUE(eventually([&] { return text(log).find("line") != std::string::npos; })) << log;
    ASSERT_EQ(::kill(box.resident_pid("supervisor"), SIGKILL), 0);
    ASSERT_TRUE(eventually([&] { return text("attach.out").find("attached again") != std::string::npos; }));
    const auto then = text("attach.out").size();
    EXPECT_TRUE(eventually([&] { return text("attach.out").size() > then + 20; }));
    box.ok({"exec", "-T", "web", "touch", "/done"});
    EXPECT_TRUE(eventually([&] { return text("exec.out").find("code 7\n") != std::string::npos; }));
    box.ok({"exec", "-T", "web", "touch", "/stop"});
    EXPECT_TRUE(eventually([&] { return text("attach.out").find("last\ncode 5\n") != std::string::npos; }))
        << text("attach.out");
}

TEST(Faults, NoLogLineIsLostOrDoubledWhileTheSupervisorIsKilled) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  writer:
    image: busybox
    command: ["sh", "-c", "i=0; while [ $$i -lt 20000 ]; do i=$$((i+1)); echo line $$i; done"]
)");
    box.ok({"up", "-d"});
    std::minstd_rand random(7);
    for (int round = 0; round < 15; ++round) {
        const int pid = box.resident_pid("supervisor");
        if (pid != 0) ::kill(pid, SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
        if (box.field("demo-writer-1", "State") == "exited") break;
    }
    ASSERT_TRUE(eventually([&] { return box.field("demo-writer-1", "State") == "exited"; }, std::chrono::seconds(60)));
    const auto lines = split(box.ok({"logs", "--no-log-prefix", "--no-color"}), '\n');
    ASSERT_EQ(lines.size(), 20001U);
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) ASSERT_EQ(lines[i], "line " + std::to_string(i + 1));
    EXPECT_EQ(box.field("demo-writer-1", "ExitCode"), "0");
}

void run_and_kill(const Sandbox& box, const std::vector<std::string>& arguments, std::chrono::microseconds after) {
    const pid_t child = ::fork();
    if (child == 0) {
        for (const auto& [name, value] : box.environment) ::setenv(name.c_str(), value.c_str(), 1);
        if (::chdir(box.folder().c_str()) != 0) ::_exit(1);
        std::vector<std::string> words{"compose", "--progress", "quiet"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        ::execv(COMPOSE_BINARY, argv.data());
        ::_exit(127);
    }
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

TEST(Faults, AnUpKilledAnywhereIsRepairedByTheNext) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, volumes: ["data:/data"], ports: ["18100:80"]}
  b: {image: busybox, command: sleep 1000, depends_on: [a]}
  c: {image: busybox, command: sleep 1000, depends_on: [b]}
volumes: {data: {}}
)");
    std::minstd_rand random(11);
    for (int round = 0; round < 12; ++round) {
        run_and_kill(box, {"up", "-d"}, std::chrono::microseconds(1000 + random() % 60'000));
        if (round % 3 == 2) box.ok({"down", "-v", "-t", "0"});
    }
    box.ok({"up", "-d"});
    for (const char* name : {"demo-a-1", "demo-b-1", "demo-c-1"}) EXPECT_EQ(box.field(name, "State"), "running");
    EXPECT_EQ(box.ps().size(), 3U);
}

TEST(Faults, AnUpKilledWhileItMakesANetworkAnewIsCompletedByTheNext) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto write = [&](int mtu) {
        box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  b: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [a]}
  c: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: "service:a"}
networks: {default: {driver_opts: {com.docker.network.driver.mtu: ")" +
                                      std::to_string(mtu) + "\"}}}\n");
    };
    int mtu = 1300;
    write(mtu);
    box.ok({"up", "-d"});
    const std::vector<std::string> names{"demo-a-1", "demo-b-1", "demo-c-1"};
    std::map<std::string, std::string> ids;
    for (const auto& name : names) ids[name] = box.field(name, "ID");
    std::minstd_rand random(5);
    for (int round = 0; round < 12; ++round) {
        write(++mtu);
        run_and_kill(box, {"up", "-d"}, std::chrono::microseconds(5000 + random() % 150'000));
        if (round % 3 == 2) box.ok({"up", "-d"});
        if (round % 3 != 2) continue;
        for (const auto& name : names) {
            EXPECT_EQ(box.field(name, "ID"), ids[name]) << name;
            EXPECT_EQ(box.field(name, "State"), "running") << name;
        }
        const auto seen = [&](const char* service) {
            return box.compose({"exec", "-T", service, "cat", "/sys/class/net/eth0/mtu"}).out;
        };
        for (const char* service : {"a", "b"}) EXPECT_EQ(seen(service), std::to_string(mtu) + "\n");
        // One whose start was under way when the command died may have to follow.
        EXPECT_TRUE(eventually([&] { return seen("c") == std::to_string(mtu) + "\n"; }));
        EXPECT_EQ(box.compose({"exec", "-T", "c", "ping", "-c", "1", "-W", "2", "b"}).exit_code, 0);
    }
}

TEST(Faults, ADownKilledAnywhereIsFinishedByTheNext) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, volumes: [/anonymous], scale: 3}
  b: {image: busybox, command: sleep 1000, depends_on: [a]}
)");
    std::minstd_rand random(7);
    for (int round = 0; round < 10; ++round) {
        box.ok({"up", "-d"});
        run_and_kill(box, {"down", "-v", "-t", "0"}, std::chrono::microseconds(3000 + random() % 80'000));
        if (round % 2 == 0) {
            box.ok({"down", "-v", "-t", "0"});
            EXPECT_TRUE(box.ps().empty());
            EXPECT_TRUE(std::filesystem::is_empty(box.state() + "/containers"));
            EXPECT_TRUE(!std::filesystem::exists(box.state() + "/trash") ||
                        std::filesystem::is_empty(box.state() + "/trash"));
            EXPECT_TRUE(std::filesystem::is_empty(box.state() + "/volumes"));
        }
    }
    box.ok({"up", "-d"});  // after a removal that was cut short, too
    EXPECT_EQ(box.ps().size(), 4U);
}

TEST(Faults, KeeperAndSupervisorBothDie) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    box.ok({"up", "-d"});
    const int keeper = box.resident_pid("keeper");
    const int supervisor = box.resident_pid("supervisor");
    ASSERT_NE(keeper, 0);
    ::kill(keeper, SIGKILL);
    ::kill(supervisor, SIGKILL);
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    EXPECT_EQ(box.ok({"exec", "-T", "web", "echo", "alive"}), "alive\n");
}

TEST(Faults, TheFirewallIsFlushedBehindOurBack) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("site/index.html", "here\n");
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: httpd -f -p 80 -h /site, volumes: ["./site:/site"], ports: ["18110:80"]}
)");
    box.ok({"up", "-d"});
    ASSERT_TRUE(box.host({"nft", "flush", "ruleset"}).ok());
    box.ok({"up", "-d"});
    EXPECT_TRUE(eventually([&] {
        return box.host({"curl", "-sS", "-m", "2", "http://127.0.0.1:18110/"}).out == "here\n";
    }));
}

TEST(Faults, AZeroLengthProcessIsCaptured) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {one: {image: busybox, command: echo done, scale: 20}}\n");
    box.ok({"up", "-d"});
    EXPECT_TRUE(eventually([&] {
        for (const auto& line : box.ps())
            if (line.find("\"State\":\"exited\"") == std::string::npos) return false;
        return true;
    }));
    const auto lines = split(box.ok({"logs", "--no-log-prefix", "--no-color"}), '\n');
    EXPECT_EQ(lines.size(), 21U);
}

}  // namespace
}  // namespace compose::test
