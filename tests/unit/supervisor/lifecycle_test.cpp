// The whole supervisor, for real: processes, logs, signals, policies.
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/error.hpp"
#include "runtime/cgroup.hpp"
#include "supervisor/host_ports.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/port_socket.hpp"
#include "world.hpp"

namespace compose::supervisor::test {
namespace {

using namespace std::chrono_literals;
using store::ContainerState;
using store::Health;

class Lifecycle : public World {
protected:
    /// A shell sets its traps a moment after it was started.
    bool catches(const std::string& id, int signal) {
        return eventually([&] {
            const auto status = exec(id, "cat /proc/1/status");
            const auto at = status.find("SigCgt:\t");
            if (at == std::string::npos) return false;
            return (std::stoull(status.substr(at + 8), nullptr, 16) >> (signal - 1) & 1U) != 0;
        });
    }
};

TEST_F(Lifecycle, ExitCodeAndOutputAreKept) {
    const auto id = make("one", {.script = "echo out; echo err >&2; printf rest; exit 7"});
    auto connection = client();
    connection.start(id);
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    const auto after = row(id);
    EXPECT_EQ(after.exit_code, 7);
    EXPECT_EQ(after.pid, 0);
    EXPECT_GT(after.finished_at, after.started_at);
    EXPECT_FALSE(after.oom_killed);
    const auto text = log(id);
    EXPECT_NE(text.find("out\n"), std::string::npos);
    EXPECT_NE(text.find("err\n"), std::string::npos);
    EXPECT_TRUE(text.ends_with("rest") || text.ends_with("err\n")) << text;
    EXPECT_FALSE(has_cgroup(id));
    EXPECT_EQ(resident("keeper") == 0, false);
}

TEST_F(Lifecycle, TheShortestLivesAreSeenWhole) {
    const auto id = make("short", {.script = "echo done; exit 3"});
    auto connection = client();
    for (int i = 1; i <= 40; ++i) {
        connection.start(id);
        ASSERT_TRUE(becomes(id, ContainerState::exited)) << i;
        ASSERT_EQ(row(id).exit_code, 3);
    }
    std::string expected;
    for (int i = 1; i <= 40; ++i) expected += "done\n";
    EXPECT_TRUE(eventually([&] { return log(id) == expected; }));
}

TEST_F(Lifecycle, ACommandThatIsNotThere) {
    const auto id = make("none", {.args = {"nosuch"}});
    auto connection = client();
    try {
        connection.start(id);
        FAIL() << "it started";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), 127);
        EXPECT_NE(std::string(error.what()).find("nosuch"), std::string::npos) << error.what();
    }
    EXPECT_EQ(row(id).state, ContainerState::created);
    EXPECT_EQ(row(id).exit_code, 127);
    EXPECT_EQ(row(id).pid, 0);
    EXPECT_FALSE(has_cgroup(id));
    EXPECT_THROW(connection.start("0123"), Error);
}

TEST_F(Lifecycle, StopSignalsThenKills) {
    const auto polite = make("polite", {.script = "trap 'echo bye; exit 5' TERM; while :; do sleep 0.05; done"});
    const auto rude = make("rude", {.script = "trap '' TERM; (trap '' TERM; sleep 1000)& while :; do sleep 1; done"});
    auto connection = client();
    connection.start(polite);
    connection.start(rude);
    connection.start(rude);  // no error
    // Its trap must be set first.
    ASSERT_TRUE(catches(polite, SIGTERM));
    connection.stop(polite, std::nullopt);
    EXPECT_EQ(row(polite).exit_code, 5);
    EXPECT_EQ(log(polite), "bye\n");
    const auto before = sys::monotonic_now();
    connection.stop(rude, 300ms);
    const auto took = sys::monotonic_now() - before;
    EXPECT_GE(took, 290ms);
    EXPECT_LT(took, 5s);
    EXPECT_EQ(row(rude).exit_code, 137);
    EXPECT_TRUE(row(rude).stopped_by_user);
    EXPECT_FALSE(has_cgroup(rude));
    connection.stop(rude, std::nullopt);  // no error
    EXPECT_THROW(connection.kill(rude, SIGTERM), Error);
}

TEST_F(Lifecycle, KillAndRestart) {
    const auto id = make("k", {.script = "trap 'echo usr' USR1; while :; do sleep 0.02; done", .restart = "always"});
    auto connection = client();
    connection.start(id);
    const auto pid = row(id).pid;
    ASSERT_TRUE(catches(id, SIGUSR1));
    connection.kill(id, SIGUSR1);
    EXPECT_TRUE(eventually([&] { return log(id) == "usr\n"; }));
    connection.restart(id, 0ms);
    EXPECT_EQ(row(id).state, ContainerState::running);
    EXPECT_NE(row(id).pid, pid);
    connection.kill(id, SIGKILL);
    EXPECT_EQ(row(id).state, ContainerState::exited) << "who is killed by hand is not started again";
    EXPECT_EQ(row(id).exit_code, 137);
}

TEST_F(Lifecycle, RestartsAsThePolicySays) {
    const auto failing = make("failing", {.script = "echo x; exit 4", .restart = "on-failure:3"});
    auto connection = client();
    auto events = client();
    events.subscribe();
    connection.start(failing);
    int restarting = 0;
    for (;;) {
        const auto change = events.next(10s);
        ASSERT_TRUE(change);
        if (change->state == ContainerState::restarting) ++restarting;
        if (change->state == ContainerState::exited) break;
    }
    EXPECT_EQ(restarting, 3);
    EXPECT_EQ(row(failing).restart_count, 3);
    EXPECT_EQ(row(failing).exit_code, 4);
    EXPECT_TRUE(eventually([&] { return log(failing) == "x\nx\nx\nx\n"; })) << log(failing);

    const auto forever = make("forever", {.script = "exit 0", .restart = "always"});
    connection.start(forever);
    ASSERT_TRUE(eventually([&] { return row(forever).restart_count >= 3; }));
    connection.stop(forever, std::nullopt);
    EXPECT_EQ(row(forever).state, ContainerState::exited);
}

TEST_F(Lifecycle, CommandsRunInside) {
    const auto id = make("box", {.script = "sleep 1000"});
    auto connection = client();
    connection.start(id);
    int code = -1;
    EXPECT_EQ(exec(id, "echo $OWN; pwd; exit 9", &code), "1\n/\n");
    EXPECT_EQ(code, 9);
    ExecRequest request;
    request.container_id = id;
    request.process.args = {"nosuch"};
    try {
        (void)connection.exec(request, {});
        FAIL() << "it ran";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), 127) << error.what();
    }
    request.process.args = {"sleep", "1000"};
    const auto running = connection.exec(request, {});
    auto other = client();
    other.signal_exec(running.exec_id, SIGKILL);
    EXPECT_EQ(connection.wait_exec(running.exec_id), 137);
    EXPECT_THROW((void)connection.wait_exec(running.exec_id), Error);
    request.process.args = {"sh", "-c", "touch /tmp/detached"};
    request.detach = true;
    (void)connection.exec(request, {});
    EXPECT_TRUE(eventually([&] { return exec(id, "test -e /tmp/detached && echo yes") == "yes\n"; }));
    request.process.args = {"tty"};
    request.process.terminal = true;
    request.detach = false;
    auto interactive = connection.exec(request, {});
    ASSERT_TRUE(interactive.terminal);
    std::string said;
    char buffer[256];
    for (ssize_t n = 0; (n = ::read(interactive.terminal.get(), buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(n));
    EXPECT_NE(said.find("/dev/pts/"), std::string::npos) << said;
    EXPECT_EQ(connection.wait_exec(interactive.exec_id), 0);
    connection.stop(id, 0ms);
    EXPECT_THROW((void)exec(id, "true"), Error);
}

TEST_F(Lifecycle, ATerminalsOutputIsLogged) {
    const auto id = make("tty", {.script = "tty; echo last; exit 2", .terminal = true});
    auto connection = client();
    connection.start(id);
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_EQ(row(id).exit_code, 2);
    EXPECT_TRUE(eventually([&] { return log(id).find("last\r\n") != std::string::npos; })) << log(id);
    EXPECT_NE(log(id).find("/dev/"), std::string::npos);
}

TEST_F(Lifecycle, AttachedToTheCallersOwnDescriptors) {
    const auto id = make("attached", {.script = "cat; echo end; exit 6"});
    auto connection = client();
    auto in = sys::make_pipe();
    auto out = sys::make_pipe();
    const auto terminal = connection.start_attached(id, {in.read, out.write, out.write});
    EXPECT_FALSE(terminal);
    in.read.reset();
    out.write.reset();
    sys::write_all(in.write, "hello\n");
    in.write.reset();
    EXPECT_EQ(sys::read_all(out.read, 1000), "hello\nend\n");
    ASSERT_TRUE(becomes(id, ContainerState::exited));
    EXPECT_EQ(row(id).exit_code, 6);
    EXPECT_EQ(log(id), "");
}

TEST_F(Lifecycle, HealthIsProbed) {
    HealthConfig config;
    config.command = {"sh", "-c", "test -e /tmp/ok"};
    config.interval = 50ms;
    config.timeout = 5s;
    config.retries = 2;
    const auto id = make("h", {.script = "sleep 1000", .health_json = to_json(config)});
    auto connection = client();
    connection.start(id);
    EXPECT_EQ(row(id).health, Health::starting);
    EXPECT_TRUE(eventually([&] { return row(id).health == Health::unhealthy; }));
    exec(id, "touch /tmp/ok");
    EXPECT_TRUE(eventually([&] { return row(id).health == Health::healthy; }));
    connection.stop(id, 0ms);
    EXPECT_EQ(row(id).health, Health::none);
}

TEST_F(Lifecycle, AProbeThatHangsIsKilledWhole) {
    HealthConfig config;
    config.command = {"sh", "-c",
                      "trap '' TERM; (sleep 1000)& (dd if=/dev/zero bs=64k count=100; sleep 1000)& sleep 1000"};
    config.interval = 50ms;
    config.timeout = 150ms;
    config.retries = 2;
    const auto id = make("h", {.script = "sleep 999", .health_json = to_json(config)});
    auto connection = client();
    connection.start(id);
    EXPECT_TRUE(eventually([&] { return row(id).health == Health::unhealthy; }));
    // At most one probe at a time: the container's own process and five of the probe's.
    const auto processes =
        runtime::Cgroup(runtime::cgroup_root(), runtime::spec_from_json(row(id).config.spec).cgroup_parent, id)
            .processes();
    EXPECT_LE(processes.size(), 7U);
    connection.stop(id, 0ms);
    EXPECT_FALSE(has_cgroup(id));
}

TEST_F(Lifecycle, PortsAreTakenFromEveryone) {
    const auto network = make_network("10.77.0.0/24");
    const auto wish = to_json({{"tcp", "", 18080, 18080, 80}, {"udp", "127.0.0.1", 0, 0, 53}});
    const auto first = make("first", {.script = "sleep 1000", .ports_json = wish, .network = network});
    const auto second = make("second", {.script = "sleep 1000", .ports_json = wish, .network = network});
    auto connection = client();
    {
        const auto foreign = sys::reserve_port("tcp", "", 18080);
        ASSERT_EQ(::listen(foreign->get(), 1), 0);
        try {
            connection.start(first);
            FAIL() << "the port was not free";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::conflict);
            EXPECT_NE(std::string(error.what()).find(fmt::format("pid {}", ::getpid())), std::string::npos)
                << error.what();
        }
        EXPECT_TRUE(store_->ports("").empty());
    }
    connection.start(first);
    EXPECT_EQ(store_->ports_of(first).size(), 2U);
    EXPECT_FALSE(sys::reserve_port("tcp", "", 18080)) << "held against strangers";
    try {
        connection.start(second);
        FAIL() << "the port was not free";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("first"), std::string::npos) << error.what();
    }
    ::kill(resident("supervisor"), SIGKILL);
    connection.stop(first, 0ms);
    EXPECT_TRUE(store_->ports("").empty());
    connection.start(second);
    EXPECT_EQ(store_->ports_of(second).size(), 2U);
}

TEST_F(Lifecycle, NamesLeadToRunningContainersOnly) {
    const auto network = make_network("10.77.0.0/24");
    const auto web = make(
        "web", {.script = "while :; do echo hi | nc -l -p 80; done", .network = network, .aliases = {"web", "front"}});
    const auto box = make("box", {.script = "sleep 1000", .network = network, .aliases = {"box"}});
    auto connection = client();
    connection.start(box);
    EXPECT_EQ(exec(box, "nslookup front >/dev/null && echo found"), "");
    connection.start(web);
    EXPECT_EQ(exec(box, "nslookup front >/dev/null && echo found"), "found\n");
    EXPECT_TRUE(eventually([&] { return exec(box, "nc -w 2 front 80 </dev/null") == "hi\n"; }));
    ::kill(resident("supervisor"), SIGKILL);
    EXPECT_EQ(exec(box, "nslookup web >/dev/null && echo found"), "found\n");
    connection.restart(web, 0ms);
    EXPECT_EQ(exec(box, "nslookup web >/dev/null && echo found"), "found\n");
    connection.stop(web, 0ms);
    EXPECT_EQ(exec(box, "nslookup web >/dev/null && echo found"), "");
}

TEST_F(Lifecycle, ACommandThatOutlivesItsCallerKeepsNobodyHere) {
    const auto id = make("one", {.script = "sleep 0.3"});
    {
        ExecRequest request;
        request.container_id = id;
        request.process.args = {"sleep", "1000"};
        request.detach = true;
        auto connection = client();
        connection.start(id);
        (void)connection.exec(request, {});
    }
    EXPECT_TRUE(eventually([&] { return resident("keeper") == 0; }, 6s));
}

TEST_F(Lifecycle, LeavesWhenThereIsNothingLeft) {
    const auto id = make("one", {.script = "sleep 0.2"});
    {
        auto connection = client();
        connection.start(id);
        EXPECT_NE(resident("keeper"), 0);
    }
    EXPECT_TRUE(eventually([&] { return resident("keeper") == 0; }, 6s));
    EXPECT_FALSE(sys::exists(layout_.control_socket(project_)));
    EXPECT_FALSE(Client::connect(layout_, project_));
    EXPECT_EQ(row(id).state, ContainerState::exited);
    client().start(id);
    EXPECT_EQ(row(id).state, ContainerState::running);
}

}  // namespace
}  // namespace compose::supervisor::test
