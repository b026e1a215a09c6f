// A world of its own for one system test: state and run folders, a project folder, a network namespace, and at the end
// the check that nothing is left of it. The real binary is run; nothing is mocked.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sys/command.hpp"

namespace compose::test {

using Result = sys::CommandResult;

class Sandbox {
public:
    Sandbox();
    ~Sandbox();  // takes down every project, then looks for leaks and fails the test when there are any
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    /// The folder in which commands run; named `demo`, so the default project name is that.
    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] const std::string& state() const { return state_; }
    [[nodiscard]] const std::string& run_dir() const { return run_; }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
    void write(const std::string& name, const std::string& text, unsigned mode = 0644) const;

    /// `compose ARGS...` in the folder.
    [[nodiscard]] Result compose(const std::vector<std::string>& arguments, const std::string& input = {}) const;
    /// The same; a failure fails the test with what was printed. Returns standard output.
    std::string ok(const std::vector<std::string>& arguments, const std::string& input = {}) const;
    /// The same; success fails the test. Returns standard error.
    std::string fails(const std::vector<std::string>& arguments, int exit_code = 1) const;
    /// A host program, in this network namespace.
    [[nodiscard]] Result host(const std::vector<std::string>& argv) const;
    std::map<std::string, std::string> environment;

    /// `compose ps -a --format json`, one line an entry.
    [[nodiscard]] std::vector<std::string> ps() const;
    /// A field of `ps -a --format json` for a container name ("" when there is no such container).
    [[nodiscard]] std::string field(const std::string& container, const std::string& name) const;
    /// Process id of a running container's first process, from the kernel's view of the cgroup; 0: none.
    [[nodiscard]] int pid_of(const std::string& container) const;
    /// Processes of the project's keeper and supervisor by title.
    [[nodiscard]] int resident_pid(const std::string& role, const std::string& project = "demo") const;

    /// Names of the state that a leak check would complain about; empty when clean.
    [[nodiscard]] std::vector<std::string> leaks() const;
    void keep_network_namespace_clean(bool on) { check_network_ = on; }

private:
    void remove_standalone() const;

    std::string root_, folder_, state_, run_;
    bool check_network_ = true;
};

/// Polls until `condition` holds or the deadline passes.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds deadline = std::chrono::seconds(10));

/// Skips the calling test loudly without root.
#define REQUIRE_ROOT()                \
    if (::compose::test::is_root()) { \
    } else                            \
        GTEST_SKIP() << "needs root"
[[nodiscard]] bool is_root();

}  // namespace compose::test
