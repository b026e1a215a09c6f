#include "container.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace compose::runtime::test {
namespace {

namespace fs = std::filesystem;

constexpr auto kDeadline = std::chrono::seconds(20);

// One for the whole program: read-only for every container.
const std::string& base_root() {
    static const struct Root {
        std::string path = fs::temp_directory_path() / fmt::format("runtime-root-{}", ::getpid());
        Root() {
            for (const char* name : {"bin", "etc", "tmp", "proc", "sys", "dev", "root", "home/web"})
                fs::create_directories(fs::path(path) / name);
            fs::permissions(fs::path(path) / "tmp", fs::perms::all | fs::perms::sticky_bit);
            fs::copy_file("/bin/busybox", path + "/bin/busybox");
            for (const char* name :
                 {"sh",   "cat",  "ls", "echo",  "id",    "sleep", "true",     "false", "pwd",   "env", "mount",
                  "stat", "kill", "ps", "touch", "mkdir", "mknod", "readlink", "find",  "umask", "wc",  "hostname",
                  "tty",  "stty", "dd", "ln",    "rm",    "grep",  "head",     "test",  "chmod"})
                fs::create_symlink("busybox", path + "/bin/" + name);
            build_probe();
            std::ofstream(path + "/etc/passwd") << "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n"
                                                   "1000:x:0:0::/:/bin/sh\n99999999999:x:0:0::/:/bin/sh\n";
            std::ofstream(path + "/etc/group") << "root:x:0:\nwheel:x:10:root\nweb:x:1000:\nextra:x:2000:web\n";
        }
        ~Root() { fs::remove_all(path); }
        void build_probe() const {
            const std::string command =
                fmt::format("g++ -std=c++20 -O1 -static -o {}/bin/probe {}/tests/probe/probe.cpp", path, PROJECT_ROOT);
            if (std::system(command.c_str()) != 0) std::cerr << "the probe does not compile\n";
        }
    } root;
    return root.path;
}

}  // namespace

void ContainerTest::SetUp() {
    if (::geteuid() != 0 || !fs::exists("/bin/busybox")) {
        std::cerr << "SKIPPED: starting containers needs root and busybox-static\n";
        GTEST_SKIP() << "starting containers needs root and busybox-static";
    }
    prepare_launcher();
    std::string pattern = fs::temp_directory_path() / "runtime-test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
}

void ContainerTest::TearDown() {
    for (auto& one : running_) {
        Cgroup cgroup(cgroup_root(), one->spec.cgroup_parent, one->spec.id);
        cgroup.kill();
        (void)wait_for_exit(one->launch.pid());
    }
    running_.clear();
    for (const auto& spec : specs_) Cgroup(cgroup_root(), spec.cgroup_parent, spec.id).remove();
    if (!folder_.empty()) fs::remove_all(folder_);
}

ContainerSpec ContainerTest::make_spec(std::vector<std::string> args) {
    ContainerSpec spec;
    spec.id = sys::random_id();
    spec.name = "test";
    spec.lower = {base_root()};
    spec.upper = path(spec.id + "-upper");
    spec.work = path(spec.id + "-work");
    fs::create_directory(spec.upper);
    fs::create_directory(spec.work);
    spec.hostname = "box";
    spec.process.args = std::move(args);
    spec.cgroup_parent = fmt::format("compose-test/{}", ::getpid());
    specs_.push_back(spec);
    return spec;
}

Outcome ContainerTest::finish(Launch& launch, sys::FdRef output) {
    Outcome outcome;
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (launch.poll() == Launch::State::pending) {
        pollfd item{launch.channel().get(), POLLIN, 0};
        ::poll(&item, 1, 100);
        if (std::chrono::steady_clock::now() > deadline) {
            ADD_FAILURE() << "the launch takes too long";
            return outcome;
        }
    }
    outcome.started = launch.poll() == Launch::State::running;
    outcome.failure = launch.failure();
    if (output) outcome.output = sys::read_all(output, std::size_t{16} << 20U);
    outcome.status = wait_for_exit(launch.pid());
    return outcome;
}

Outcome ContainerTest::run(const ContainerSpec& spec) {
    auto pipe = sys::make_pipe();
    Stdio stdio;
    stdio.err = pipe.write.duplicate();
    stdio.out = std::move(pipe.write);
    Launch launch = begin_launch(spec, std::move(stdio), false);
    launch.release();
    return finish(launch, pipe.read);
}

Outcome ContainerTest::run_shell(ContainerSpec spec, const std::string& script) {
    spec.process.args = {"sh", "-c", script};
    return run(spec);
}

Launch& ContainerTest::start(const ContainerSpec& spec) {
    running_.push_back(std::make_unique<Running>(Running{spec, begin_launch(spec, {}, false)}));
    Launch& launch = running_.back()->launch;
    launch.release();
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (launch.poll() == Launch::State::pending && std::chrono::steady_clock::now() < deadline) {
        pollfd item{launch.channel().get(), POLLIN, 0};
        ::poll(&item, 1, 100);
    }
    EXPECT_EQ(launch.poll(), Launch::State::running) << launch.failure().message;
    return launch;
}

Outcome ContainerTest::exec(const ContainerSpec& spec, const Launch& container, const ProcessSpec& process) {
    auto pipe = sys::make_pipe();
    Stdio stdio;
    stdio.err = pipe.write.duplicate();
    stdio.out = std::move(pipe.write);
    Launch launch = begin_exec(spec, {container.pid(), container.pidfd()}, process, std::move(stdio), false);
    return finish(launch, pipe.read);
}

void ContainerTest::write(const std::string& name, const std::string& text, unsigned mode) const {
    sys::write_file(path(name), text, mode);
    ::chmod(path(name).c_str(), mode);
}

std::string ContainerTest::read(const std::string& absolute) {
    std::ifstream file(absolute);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines(const std::string& text) {
    auto result = split(text, '\n');
    if (!result.empty() && result.back().empty()) result.pop_back();
    return result;
}

std::string value_of(const std::string& report, const std::string& key) {
    for (const auto& line : lines(report))
        if (line.starts_with(key + "=")) return line.substr(key.size() + 1);
    ADD_FAILURE() << "no " << key << " in:\n" << report;
    return {};
}

int wait_for_exit(pid_t pid) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    int status = 0;
    for (;;) {
        const pid_t done = ::waitpid(pid, &status, WNOHANG);
        if (done == pid) return sys::decode_wait_status(status).code;
        if (done < 0 && errno != EINTR) return -1;
        if (std::chrono::steady_clock::now() > deadline) {
            ADD_FAILURE() << "process " << pid << " does not end";
            return -1;
        }
        const timespec pause{0, 1000000};
        ::nanosleep(&pause, nullptr);
    }
}

}  // namespace compose::runtime::test
