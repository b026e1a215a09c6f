// A container for tests: a busybox root in a temporary folder, started for real. Needs root; tests skip loudly without.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cgroup.hpp"
#include "runtime/launcher.hpp"
#include "runtime/spec.hpp"
#include "sys/fd.hpp"
#include "sys/process.hpp"

namespace compose::runtime::test {

struct Outcome {
    bool started = false;
    LaunchFailure failure;
    int status = -1;     // exit code, or 128 + signal
    std::string output;  // of 1 and 2 together
};

class ContainerTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Busybox (with its links), the probe at /bin/probe, /etc/passwd and /etc/group.
    [[nodiscard]] ContainerSpec make_spec(std::vector<std::string> args);
    /// A container's first process from start to end.
    Outcome run(const ContainerSpec& spec);
    /// The same in a shell.
    Outcome run_shell(ContainerSpec spec, const std::string& script);
    /// Starts it and leaves it running; ended by TearDown.
    Launch& start(const ContainerSpec& spec);
    Outcome exec(const ContainerSpec& spec, const Launch& container, const ProcessSpec& process);
    static Outcome finish(Launch& launch, sys::FdRef output);

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
    void write(const std::string& name, const std::string& text, unsigned mode = 0644) const;
    [[nodiscard]] static std::string read(const std::string& absolute);

    std::string folder_;  // empty and the test's own

private:
    struct Running {
        ContainerSpec spec;
        Launch launch;
    };
    std::vector<std::unique_ptr<Running>> running_;
    std::vector<ContainerSpec> specs_;
};

/// The lines of a text that a process in the container printed.
[[nodiscard]] std::vector<std::string> lines(const std::string& text);
/// What follows "key=" at the start of a line; fails the test when there is none.
[[nodiscard]] std::string value_of(const std::string& report, const std::string& key);
[[nodiscard]] int wait_for_exit(pid_t pid);

}  // namespace compose::runtime::test
