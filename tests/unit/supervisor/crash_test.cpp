// The supervisor, the keeper, or both die; containers must not notice and nothing may be lost.
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"
#include "world.hpp"

namespace compose::supervisor::test {
namespace {

using namespace std::chrono_literals;
using store::ContainerState;

class Crash : public World {
protected:
    void kill_resident(const std::string& role) {
        const int pid = resident(role);
        ASSERT_NE(pid, 0) << role;
        ASSERT_EQ(::kill(pid, SIGKILL), 0);
        ASSERT_TRUE(eventually([&] { return resident(role) != pid; }));
    }
};

TEST_F(Crash, NoLineIsLostOrDoubledUnderThirtyKills) {
    const auto id = make("writer", {.script = "trap 'exit 42' TERM; i=0; while test ! -e /tmp/end; do seq $i "
                                              "$((i+999)); i=$((i+1000)); done; echo end; exit 42"});
    client().start(id);
    const auto pid = row(id).pid;
    std::mt19937 random(3);
    for (int i = 0; i < 30; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 60000));
        if (const int supervisor = resident("supervisor")) ::kill(supervisor, SIGKILL);
    }
    EXPECT_EQ(row(id).pid, pid) << "another process";
    EXPECT_EQ(row(id).state, ContainerState::running);
    exec(id, "touch /tmp/end");
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_EQ(row(id).exit_code, 42);
    ASSERT_TRUE(eventually([&] { return log(id, {.tail = 1}) == "end\n"; }));
    // The oldest files may have been rotated away: from the first line that is there, each number follows the one
    // before.
    LogReader reader(layout_.container_log(id), {});
    LogLine line;
    std::optional<long> last;
    long count = 0;
    while (reader.next(line)) {
        if (line.bytes == "end") break;
        const long number = std::stol(std::string(line.bytes));
        if (last) {
            ASSERT_EQ(number, *last + 1);
        }
        last = number;
        ++count;
    }
    EXPECT_GT(count, 10000);
    RecordProperty("lines", std::to_string(count));
}

TEST_F(Crash, TheSupervisorIsBackSoon) {
    const auto id = make("box", {.script = "sleep 1000"});
    client().start(id);
    std::chrono::nanoseconds worst{0};
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(::kill(resident("supervisor"), SIGKILL), 0);
        const auto before = sys::monotonic_now();
        ASSERT_TRUE(Client::connect(layout_, project_));
        worst = std::max<std::chrono::nanoseconds>(worst, sys::monotonic_now() - before);
    }
    RecordProperty("worst_milliseconds", static_cast<int>(worst / 1ms));
    EXPECT_LT(worst, 2s);
}

TEST_F(Crash, ExitsWhileNobodyWatchesAreKept) {
    const auto id = make("box", {.script = "sleep 0.5; exit 23"});
    client().start(id);
    const int keeper = resident("keeper");
    const auto container = sys::open_pidfd(row(id).pid);
    // The keeper is stopped, so that no new supervisor comes before the container is dead.
    ::kill(keeper, SIGSTOP);
    ::kill(resident("supervisor"), SIGKILL);
    EXPECT_TRUE(eventually([&] { return sys::has_exited(*container); }));
    EXPECT_EQ(row(id).state, ContainerState::running);
    ::kill(keeper, SIGCONT);
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_EQ(row(id).exit_code, 23);
}

TEST_F(Crash, RequestsSurviveTheSupervisorThatWorksOnThem) {
    std::vector<std::string> ids;
    for (int i = 0; i < 8; ++i)
        ids.push_back(make("c" + std::to_string(i), {.script = "trap 'exit 0' TERM; while :; do sleep 0.05; done"}));
    (void)client();
    std::atomic<bool> over = false;
    std::thread killer([&] {
        std::mt19937 random(5);
        for (int i = 0; i < 12 && !over; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10 + random() % 40));
            if (const int pid = resident("supervisor")) ::kill(pid, SIGKILL);
        }
    });
    auto connection = client();
    for (const auto& id : ids) EXPECT_NO_THROW(connection.start(id));
    for (const auto& id : ids) EXPECT_NO_THROW(connection.stop(id, 5s));
    over = true;
    killer.join();
    for (const auto& id : ids) {
        EXPECT_TRUE(becomes(id, ContainerState::exited));
        EXPECT_EQ(row(id).pid, 0);
    }
}

TEST_F(Crash, ANewKeeperTakesOver) {
    const auto id =
        make("box", {.script = "i=0; while test ! -e /tmp/end; do echo $i; i=$((i+1)); sleep 0.005; done; exit 31"});
    client().start(id);
    const auto pid = row(id).pid;
    kill_resident("keeper");
    ASSERT_TRUE(eventually([&] { return resident("keeper") != 0 && resident("supervisor") != 0; }));
    EXPECT_EQ(row(id).pid, pid);
    EXPECT_EQ(row(id).state, ContainerState::running);
    EXPECT_TRUE(eventually([&] { return log(id).find("\n30\n") != std::string::npos; }));
    exec(id, "touch /tmp/end");
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_EQ(row(id).exit_code, 31);
    int expected = 0;
    LogReader reader(layout_.container_log(id), {});
    LogLine line;
    while (reader.next(line)) {
        ASSERT_EQ(line.bytes, std::to_string(expected));
        ++expected;
    }
    EXPECT_GT(expected, 30);
}

TEST_F(Crash, BothGoneTheNextCommandFindsTheContainer) {
    const auto id = make("box", {.script = "trap 'exit 19' TERM; while :; do sleep 0.02; done"});
    client().start(id);
    const auto pid = row(id).pid;
    const int supervisor = resident("supervisor");
    ::kill(resident("keeper"), SIGSTOP);
    ::kill(supervisor, SIGKILL);
    ::kill(resident("keeper"), SIGKILL);
    ASSERT_TRUE(eventually([&] { return resident("keeper") == 0 && resident("supervisor") == 0; }));
    auto connection = client();
    EXPECT_EQ(row(id).pid, pid);
    EXPECT_EQ(exec(id, "echo in"), "in\n");
    connection.stop(id, 5s);
    EXPECT_EQ(row(id).exit_code, 19) << "by what the kernel remembers of it";
}

TEST_F(Crash, AfterARebootWhatShouldRunRunsAgain) {
    const auto always = make("always", {.script = "sleep 1000", .restart = "always"});
    const auto once = make("once", {.script = "sleep 1000"});
    for (const auto& id : {always, once}) {
        auto before = row(id);
        before.state = ContainerState::running;
        before.pid = 1;
        before.pid_start_time = 1;
        before.boot_id = "another boot";
        before.started_at = 1;
        store_->update_runtime(before);
    }
    auto connection = client();
    EXPECT_TRUE(becomes(always, ContainerState::running));
    EXPECT_GT(row(always).pid, 1);
    EXPECT_EQ(row(once).state, ContainerState::exited);
    EXPECT_EQ(row(once).exit_code, 255);
    EXPECT_NE(row(once).error.find("restarted"), std::string::npos);
}

TEST_F(Crash, AReusedProcessNumberIsNobody) {
    const auto id = make("box", {.script = "sleep 1000"});
    auto before = row(id);
    before.state = ContainerState::running;
    before.pid = ::getpid();
    before.pid_start_time = 12345;
    before.boot_id = sys::boot_id();
    before.started_at = 1;
    store_->update_runtime(before);
    auto connection = client();
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_EQ(row(id).exit_code, 255);
    connection.start(id);
    EXPECT_EQ(row(id).state, ContainerState::running);
}

}  // namespace
}  // namespace compose::supervisor::test
