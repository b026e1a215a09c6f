// Peers, signals and containers that mean no good.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "base/error.hpp"
#include "runtime/cgroup.hpp"
#include "supervisor/protocol.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/socket.hpp"
#include "world.hpp"

namespace compose::supervisor::test {
namespace {

using namespace std::chrono_literals;
using store::ContainerState;

class Hostile : public World {};

TEST_F(Hostile, RubbishOnTheControlSocketHarmsNobody) {
    const auto id = make("box", {.script = "sleep 1000"});
    client().start(id);
    const int supervisor = resident("supervisor");
    std::mt19937 random(1);
    const auto null = sys::open_file("/dev/null", O_RDONLY);
    const std::vector<sys::FdRef> fds(8, sys::FdRef(null.get()));
    for (int i = 0; i < 300; ++i) {
        auto socket = sys::connect_unix(layout_.control_socket(project_));
        ASSERT_TRUE(socket);
        std::string data(1 + random() % 5000, '\0');
        for (auto& c : data) c = static_cast<char>(random());
        if (i % 3 == 0) data = R"({"v":1,"seq":1,"op":"stop","id":")" + data + "\"}";
        if (i % 5 == 0) data = std::string(60000, '[');
        try {
            sys::send_packet(*socket, data, i % 2 == 0 ? fds : std::vector<sys::FdRef>{});
        } catch (const Error&) {
            continue;  // it has hung up already
        }
        if (i % 7 != 0) continue;
        sys::Packet packet;
        EXPECT_NE(sys::receive_packet(*socket, packet), sys::Received::nothing);
    }
    EXPECT_EQ(resident("supervisor"), supervisor);
    EXPECT_EQ(exec(id, "echo fine"), "fine\n");
    EXPECT_EQ(row(id).state, ContainerState::running);
}

TEST_F(Hostile, ASubscriberThatNeverReadsDelaysNobody) {
    const auto id = make("box", {.script = "exit 0"});
    auto deaf = client();
    deaf.subscribe();
    auto connection = client();
    for (int i = 0; i < 30; ++i) {
        connection.start(id);
        ASSERT_TRUE(becomes(id, ContainerState::exited));
    }
}

TEST_F(Hostile, SignalsToTheResidentProgramsChangeNothing) {
    const auto id = make("box", {.script = "sleep 1000"});
    client().start(id);
    const int keeper = resident("keeper"), supervisor = resident("supervisor");
    for (int i = 0; i < 200; ++i)
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGWINCH, SIGPIPE, SIGALRM}) {
            ::kill(keeper, signal);
            ::kill(supervisor, signal);
        }
    EXPECT_EQ(exec(id, "echo fine"), "fine\n");
    EXPECT_EQ(resident("keeper"), keeper);
    EXPECT_EQ(resident("supervisor"), supervisor);
}

TEST_F(Hostile, NobodyWritesToTheProgramThroughItsProcess) {
    const auto id = make("box", {.script = "sleep 1000"});
    client().start(id);
    for (const auto* role : {"keeper", "supervisor"}) {
        const auto path = fmt::format("/proc/{}/exe", resident(role));
        EXPECT_LT(::open(path.c_str(), O_WRONLY | O_CLOEXEC), 0);
        // Busy is not enough: that ends with the process, while whoever has opened its exe may wait for it.
        struct statvfs mount {};
        ASSERT_EQ(::statvfs(path.c_str(), &mount), 0);
        EXPECT_NE(mount.f_flag & ST_RDONLY, 0U) << role;
    }
}

TEST_F(Hostile, AFrozenContainerCanBeStopped) {
    const auto id = make("box", {.script = "trap '' TERM; while :; do sleep 1; done"});
    auto connection = client();
    connection.start(id);
    runtime::Cgroup cgroup(runtime::cgroup_root(), runtime::spec_from_json(row(id).config.spec).cgroup_parent, id);
    cgroup.freeze(true);
    EXPECT_THROW((void)exec(id, "true"), Error);
    connection.stop(id, 100ms);
    EXPECT_EQ(row(id).exit_code, 137);
    connection.start(id);
    cgroup.freeze(true);
    connection.kill(id, SIGKILL);
    EXPECT_EQ(row(id).state, ContainerState::exited);
}

TEST_F(Hostile, ALongSleepOfTheSupervisorMakesNobodyUnhealthy) {
    HealthConfig config;
    config.command = {"true"};
    config.interval = 50ms;
    config.timeout = 1s;
    config.retries = 1;
    const auto id = make("box", {.script = "sleep 1000", .health_json = to_json(config)});
    client().start(id);
    ASSERT_TRUE(eventually([&] { return row(id).health == store::Health::healthy; }));
    auto events = client();
    events.subscribe();
    const int supervisor = resident("supervisor");
    ::kill(supervisor, SIGSTOP);
    (void)eventually([] { return false; }, 1500ms);
    ::kill(supervisor, SIGCONT);
    while (const auto change = events.next(500ms)) EXPECT_NE(change->health, store::Health::unhealthy);
    EXPECT_EQ(row(id).health, store::Health::healthy);
}

TEST_F(Hostile, ProgramsStartedFromABrokenEnvironment) {
    const auto id = make("box", {.script = "echo fine; exit 0"});
    // Standard streams closed, a umask that denies all, a folder that was removed: in a child, which asks for the
    // start.
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string gone = folder_ + "/gone";
        sys::make_directory(gone);
        if (::chdir(gone.c_str()) != 0 || ::rmdir(gone.c_str()) != 0) ::_exit(3);
        ::umask(0777);
        for (const int fd : {0, 1, 2}) ::close(fd);
        try {
            Client::connect_or_spawn(layout_, project_).start(id);
            ::_exit(0);
        } catch (const std::exception& error) {
            sys::write_file(folder_ + "/error", error.what());
            ::_exit(1);
        }
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << sys::read_file_if_exists(folder_ + "/error").value_or("");
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_TRUE(eventually([&] { return log(id) == "fine\n"; }));
}

}  // namespace
}  // namespace compose::supervisor::test
