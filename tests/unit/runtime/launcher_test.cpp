// Starting processes: success and failure, exec, terminals, the reaper, and that nothing is left behind.
#include "runtime/launcher.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "container.hpp"
#include "sys/file.hpp"

namespace compose::runtime::test {
namespace {

namespace fs = std::filesystem;

std::string descriptors() {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        all.push_back(entry.path().filename().string() + " " + fs::read_symlink(entry.path(), gone).string());
    }
    std::sort(all.begin(), all.end());
    return join(all, "\n");
}

class Launcher : public ContainerTest {
protected:
    static ProcessSpec process(std::vector<std::string> args) {
        ProcessSpec result;
        result.args = std::move(args);
        return result;
    }
    // What comes out of a terminal until the other side is closed.
    static std::string read_terminal(const sys::Fd& master) {
        std::string text;
        char buffer[1024];
        for (;;) {
            pollfd item{master.get(), POLLIN, 0};
            if (::poll(&item, 1, 10000) != 1) break;
            const auto n = ::read(master.get(), buffer, sizeof buffer);
            if (n <= 0) break;
            text.append(buffer, static_cast<std::size_t>(n));
        }
        std::erase(text, '\r');
        return text;
    }
    static Launch::State settle(Launch& launch) {
        for (int i = 0; i < 100 && launch.poll() == Launch::State::pending; ++i) {
            pollfd item{launch.channel().get(), POLLIN, 0};
            ::poll(&item, 1, 100);
        }
        return launch.poll();
    }
};

TEST_F(Launcher, RunsACommandInItsOwnRoot) {
    const Outcome outcome = run(make_spec({"sh", "-c", "echo hello; ls /; exit 7"}));
    EXPECT_TRUE(outcome.started) << outcome.failure.message;
    EXPECT_EQ(outcome.status, 7);
    EXPECT_EQ(outcome.output, "hello\nbin\ndev\netc\nhome\nproc\nroot\nsys\ntmp\n");
}

TEST_F(Launcher, SaysWhyACommandCannotRun) {
    struct Case {
        std::vector<std::string> args;
        std::string message;
        int code;
    };
    const std::string script = path("script");
    const Case cases[] = {
        {{"nosuch"}, "exec: \"nosuch\": executable file not found in $PATH", 127},
        {{"/no/such"}, "exec: \"/no/such\": no such file or directory", 127},
        {{"/etc/passwd"}, "exec: \"/etc/passwd\": permission denied", 126},
        {{"/etc/passwd/x"}, "exec: \"/etc/passwd/x\": not a directory", 127},
        {{"/"}, "exec: \"/\": permission denied", 126},
        {{"/x/script"}, "exec: \"/x/script\": the interpreter or loader that it names does not exist", 127},
        {{"/x/garbage"}, "exec: \"/x/garbage\": exec format error", 126},
    };
    write("script", "#!/no/interpreter\n", 0755);
    write("garbage", std::string("\0\1\2\3 garbage", 12), 0755);
    for (const auto& one : cases) {
        auto spec = make_spec(one.args);
        spec.mounts.resize(1);
        spec.mounts[0].source = folder_;
        spec.mounts[0].target = "/x";
        const Outcome outcome = run(spec);
        EXPECT_FALSE(outcome.started);
        EXPECT_EQ(outcome.failure.message, one.message);
        EXPECT_EQ(outcome.failure.exit_code, one.code) << one.message;
        EXPECT_EQ(outcome.status, one.code) << one.message;
    }
}

TEST_F(Launcher, NamesTheStepThatFailed) {
    auto spec = make_spec({"true"});
    spec.rlimits = {{"nofile", 100, 1 << 30}};
    Outcome outcome = run(spec);
    EXPECT_EQ(outcome.failure.message, "set limit nofile to 100:1073741824: operation not permitted");
    EXPECT_EQ(outcome.failure.exit_code, 128);
    spec = make_spec({"true"});
    spec.sysctls = {{"net.ipv4.nosuch", "1"}};
    EXPECT_EQ(run(spec).failure.message, "set kernel setting net/ipv4/nosuch to \"1\": no such file or directory");
    spec = make_spec({"true"});
    spec.mounts.resize(1);
    spec.mounts[0].source = path("missing");
    spec.mounts[0].target = "/x";
    EXPECT_EQ(run(spec).failure.message, fmt::format("open {}: no such file or directory", path("missing")));
    spec = make_spec({"true"});
    spec.process.cwd = "/etc/passwd";
    EXPECT_EQ(run(spec).failure.message, "enter working directory \"/etc/passwd\": not a directory");
}

TEST_F(Launcher, RefusesBeforeAnythingIsMade) {
    auto spec = make_spec({"true"});
    spec.cap_add = {"NO_SUCH"};
    EXPECT_THROW((void)run(spec), Error);
    EXPECT_FALSE(Cgroup(cgroup_root(), spec.cgroup_parent, spec.id).exists());
    spec = make_spec({});
    EXPECT_THROW((void)run(spec), Error);
    spec = make_spec({"true"});
    spec.sysctls = {{"vm.swappiness", "1"}};
    EXPECT_THROW((void)run(spec), Error);
}

TEST_F(Launcher, PassesStandardInputOn) {
    auto in = sys::make_pipe();
    auto out = sys::make_pipe();
    const auto spec = make_spec({"cat"});
    Stdio stdio;
    stdio.in = std::move(in.read);
    stdio.out = std::move(out.write);
    Launch launch = begin_launch(spec, std::move(stdio), false);
    launch.release();
    sys::write_all(in.write, "through\n");
    in.write.reset();
    EXPECT_EQ(finish(launch, out.read).output, "through\n");
}

TEST_F(Launcher, WaitsForTheReleaseAndHasItsNetworkMeanwhile) {
    const auto spec = make_spec({"true"});
    Launch launch = begin_launch(spec, {}, false);
    const sys::Fd netns = launch.open_netns();
    EXPECT_TRUE(netns);
    pollfd item{launch.channel().get(), POLLIN, 0};
    EXPECT_EQ(::poll(&item, 1, 200), 0) << "it went on by itself";
    launch.release();
    EXPECT_EQ(settle(launch), Launch::State::running);
    EXPECT_EQ(wait_for_exit(launch.pid()), 0);
}

TEST_F(Launcher, AnAbandonedLaunchIsKilled) {
    const auto spec = make_spec({"true"});
    pid_t pid = 0;
    {
        const Launch launch = begin_launch(spec, {}, false);
        pid = launch.pid();
    }
    EXPECT_EQ(::kill(pid, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST_F(Launcher, AKilledChildIsAFailureNotASuccess) {
    const auto spec = make_spec({"true"});
    Launch launch = begin_launch(spec, {}, false);
    ::kill(launch.pid(), SIGKILL);
    EXPECT_EQ(settle(launch), Launch::State::failed);
    EXPECT_EQ(launch.failure().message, "the process died while it was being set up");
    EXPECT_EQ(wait_for_exit(launch.pid()), 128 + SIGKILL);
}

// All output and the status of processes that end at once.
TEST_F(Launcher, LosesNothingOfAShortLife) {
    const auto spec = make_spec({"sh", "-c", "echo out; exit 5"});
    for (int i = 0; i < 500; ++i) {
        const Outcome outcome = run(spec);
        ASSERT_TRUE(outcome.started) << i << outcome.failure.message;
        ASSERT_EQ(outcome.output, "out\n") << i;
        ASSERT_EQ(outcome.status, 5) << i;
    }
}

TEST_F(Launcher, LeavesNothingBehind) {
    (void)run(make_spec({"true"}));
    const std::string mounts = read("/proc/self/mountinfo");
    const std::string fds = descriptors();
    for (int i = 0; i < 50; ++i) {
        // Good ones, ones that fail early and late, and ones that are given up.
        auto spec = make_spec({i % 5 == 1 ? "nosuch" : "true"});
        if (i % 5 == 2) spec.process.user = "nosuch";
        if (i % 5 == 3) spec.process.terminal = true;
        if (i % 5 == 4) {
            (void)begin_launch(spec, {}, false);
        } else {
            (void)run(spec);
        }
        Cgroup cgroup(cgroup_root(), spec.cgroup_parent, spec.id);
        cgroup.remove();
        EXPECT_FALSE(cgroup.exists());
    }
    EXPECT_EQ(read("/proc/self/mountinfo"), mounts);
    EXPECT_EQ(descriptors(), fds);
}

TEST_F(Launcher, ExecJoinsARunningContainer) {
    const auto spec = make_spec({"sleep", "1000"});
    Launch& container = start(spec);
    const Outcome outcome =
        exec(spec, container, process({"sh", "-c", "echo inside $$; hostname; readlink /proc/1/exe; exit 3"}));
    EXPECT_TRUE(outcome.started) << outcome.failure.message;
    EXPECT_EQ(outcome.status, 3);
    EXPECT_EQ(outcome.output, "inside 2\nbox\n/bin/busybox\n");
    EXPECT_EQ(exec(spec, container, process({"nosuch"})).failure.message,
              "exec: \"nosuch\": executable file not found in $PATH");
    auto elsewhere = process({"pwd"});
    elsewhere.cwd = "/nowhere";
    EXPECT_EQ(exec(spec, container, elsewhere).failure.message,
              "enter working directory \"/nowhere\": no such file or directory");
    auto privileged = process({"probe", "report"});
    privileged.privileged = true;
    EXPECT_NE(value_of(exec(spec, container, privileged).output, "CapEff"), "00000000a80425fb");
}

TEST_F(Launcher, ExecedProcessesAreInTheContainersCgroup) {
    const auto spec = make_spec({"sleep", "1000"});
    Launch& container = start(spec);
    auto pipe = sys::make_pipe();
    Stdio stdio;
    stdio.in = std::move(pipe.read);
    Launch launch = begin_exec(spec, {container.pid(), container.pidfd()}, process({"cat"}), std::move(stdio), false);
    ASSERT_EQ(settle(launch), Launch::State::running);
    const std::string of_first = read(fmt::format("/proc/{}/cgroup", container.pid()));
    EXPECT_EQ(read(fmt::format("/proc/{}/cgroup", launch.pid())), of_first);
    EXPECT_NE(of_first.find(spec.id), std::string::npos);
    const auto members = Cgroup(cgroup_root(), spec.cgroup_parent, spec.id).processes();
    EXPECT_EQ(members.size(), 2U);
    pipe.write.reset();
    EXPECT_EQ(wait_for_exit(launch.pid()), 0);
}

TEST_F(Launcher, ExecIntoAContainerThatIsGoneFails) {
    const auto spec = make_spec({"true"});
    Launch launch = begin_launch(spec, {}, false);
    launch.release();
    EXPECT_EQ(settle(launch), Launch::State::running);
    pollfd item{launch.pidfd().get(), POLLIN, 0};
    ::poll(&item, 1, 5000);
    EXPECT_THROW((void)begin_exec(spec, {launch.pid(), launch.pidfd()}, process({"true"}), {}, false), Error);
    EXPECT_EQ(wait_for_exit(launch.pid()), 0);
}

// A root in the container with the right to trace looks at every process that appears.
TEST_F(Launcher, ExecShowsAContainerNothingOfTheHost) {
    auto spec = make_spec({"sleep", "1000"});
    spec.cap_add = {"SYS_PTRACE", "DAC_READ_SEARCH"};
    Launch& container = start(spec);
    auto pipe = sys::make_pipe();
    Stdio stdio;
    stdio.out = std::move(pipe.write);
    Launch spy = begin_exec(spec, {container.pid(), container.pidfd()}, process({"probe", "spy", "/tmp/stop"}),
                            std::move(stdio), false);
    ASSERT_EQ(settle(spy), Launch::State::running);
    for (int i = 0; i < 150; ++i) ASSERT_TRUE(exec(spec, container, process({"true"})).started);
    (void)exec(spec, container, process({"touch", "/tmp/stop"}));
    const std::string text = finish(spy, pipe.read).output;
    EXPECT_EQ(value_of(text, "leaks"), "0") << text;
    EXPECT_EQ(text.find("heap="), std::string::npos) << text;
    EXPECT_GT(std::stol(value_of(text, "seen")), 0);
}

TEST_F(Launcher, AContainerCanHaveATerminal) {
    auto spec = make_spec({"probe", "terminal"});
    spec.process.terminal = true;
    spec.process.rows = 33;
    spec.process.columns = 99;
    Launch launch = begin_launch(spec, {}, false);
    launch.release();
    ASSERT_EQ(settle(launch), Launch::State::running) << launch.failure().message;
    const sys::Fd master = launch.take_terminal();
    ASSERT_TRUE(master);
    EXPECT_EQ(read_terminal(master), "tty=111\nsize=99x33\nname=/dev/pts/0\nconsole=1\nowner=0\nforeground=1\n");
    EXPECT_EQ(wait_for_exit(launch.pid()), 0);
}

TEST_F(Launcher, ExecCanHaveATerminal) {
    auto spec = make_spec({"sleep", "1000"});
    Launch& container = start(spec);
    auto wanted = process({"sh", "-c", "probe terminal; echo $TERM; stty size"});
    wanted.terminal = true;
    wanted.rows = 10;
    wanted.columns = 20;
    wanted.user = "web";
    Launch launch = begin_exec(spec, {container.pid(), container.pidfd()}, wanted, {}, false);
    ASSERT_EQ(settle(launch), Launch::State::running) << launch.failure().message;
    const sys::Fd master = launch.take_terminal();
    const std::string text = read_terminal(master);
    EXPECT_NE(text.find("tty=111\nsize=20x10\nname=/dev/pts/0\nconsole=0\nowner=1000\nforeground=1\nxterm\n10 20\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(wait_for_exit(launch.pid()), 0);
}

TEST_F(Launcher, TheReaperEndsAsItsProcessDoes) {
    auto spec = make_spec({"sh", "-c", "echo $$; exit 9"});
    spec.init = true;
    Outcome outcome = run(spec);
    EXPECT_EQ(outcome.output, "2\n");
    EXPECT_EQ(outcome.status, 9);
    spec = make_spec({"nosuch"});
    spec.init = true;
    outcome = run(spec);
    EXPECT_EQ(outcome.failure.message, "exec: \"nosuch\": executable file not found in $PATH");
    EXPECT_EQ(outcome.status, 127);
    spec = make_spec({"sh", "-c", "kill -9 $$"});
    spec.init = true;
    EXPECT_EQ(run(spec).status, 128 + SIGKILL);
    spec = make_spec({"probe", "orphans", "100"});
    spec.init = true;
    EXPECT_EQ(run(spec).output, "zombies=0\n");
    spec = make_spec({"probe", "orphans", "20"});
    spec.init = true;
    spec.pid = NamespaceMode::host;
    EXPECT_EQ(run(spec).status, 0);
    spec = make_spec({"probe", "terminal"});
    spec.init = true;
    spec.process.terminal = true;
    Launch launch = begin_launch(spec, {}, false);
    launch.release();
    ASSERT_EQ(settle(launch), Launch::State::running);
    EXPECT_NE(read_terminal(launch.take_terminal()).find("foreground=1"), std::string::npos);
    EXPECT_EQ(wait_for_exit(launch.pid()), 0);
}

TEST_F(Launcher, TheReaperPassesSignalsOnAndKeepsNoSecrets) {
    auto spec = make_spec({"sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done"});
    spec.init = true;
    auto pipe = sys::make_pipe();
    Stdio stdio;
    stdio.out = std::move(pipe.write);
    Launch launch = begin_launch(spec, std::move(stdio), false);
    launch.release();
    ASSERT_EQ(settle(launch), Launch::State::running) << launch.failure().message;
    char byte = 0;
    ASSERT_EQ(::read(pipe.read.get(), &byte, 1), 1);
    const std::string process = fmt::format("/proc/{}", launch.pid());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their run-time needs all memory to stay
    EXPECT_EQ(read(process + "/maps").find("[heap]"), std::string::npos);
    const std::string environment = read(process + "/environ");
    EXPECT_EQ(environment.find_first_not_of('\0'), std::string::npos) << environment;
#endif
    EXPECT_TRUE(fs::is_empty(process + "/fd"));
    const std::string status = read(process + "/status");
    EXPECT_NE(status.find("CapEff:\t00000000a80425fb"), std::string::npos);
    EXPECT_NE(status.find("Seccomp:\t2"), std::string::npos);
    ::kill(launch.pid(), SIGTERM);
    EXPECT_EQ(wait_for_exit(launch.pid()), 42);
}

TEST_F(Launcher, AContainerForAKeeperIsNoChildOfOurs) {
    const auto spec = make_spec({"true"});
    Launch launch = begin_launch(spec, {}, true);
    launch.release();
    EXPECT_EQ(settle(launch), Launch::State::running);
    EXPECT_EQ(wait_for_exit(launch.pid()), -1);
}

// keeper (sub-reaper) → supervisor → container and exec: both end up with the keeper, also when the supervisor has
// died.
TEST_F(Launcher, TheKeeperReapsContainersAndExecs) {
    const auto spec = make_spec({"sleep", "1000"});
    const pid_t keeper = ::fork();
    if (keeper == 0) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        auto told = sys::make_pipe();
        const pid_t supervisor = ::fork();
        if (supervisor == 0) {
            try {
                Launch container = begin_launch(spec, {}, true);
                container.release();
                if (settle(container) != Launch::State::running) ::_exit(1);
                Launch exec =
                    begin_exec(spec, {container.pid(), container.pidfd()}, process({"sh", "-c", "exit 7"}), {}, true);
                if (settle(exec) != Launch::State::running) ::_exit(2);
                const pid_t pids[] = {container.pid(), exec.pid()};
                ::_exit(::write(told.write.get(), pids, sizeof pids) == sizeof pids ? 0 : 3);
            } catch (const Error&) {
                ::_exit(4);
            }
        }
        pid_t pids[2] = {};
        if (wait_for_exit(supervisor) != 0 || ::read(told.read.get(), pids, sizeof pids) != sizeof pids) ::_exit(1);
        if (wait_for_exit(pids[1]) != 7) ::_exit(2);
        ::kill(pids[0], SIGKILL);
        if (wait_for_exit(pids[0]) != 128 + SIGKILL) ::_exit(3);
        ::_exit(::waitpid(-1, nullptr, 0) == -1 ? 0 : 4);
    }
    EXPECT_EQ(wait_for_exit(keeper), 0);
}

}  // namespace
}  // namespace compose::runtime::test
