// Runs a program of the host and waits for it: for tools (mmdebstrap, git, an editor) and for tests, never for
// containers and never on a hot path. Starting a program costs milliseconds.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/env.hpp"

namespace compose::sys {

struct Command {
    std::vector<std::string> argv{};           // argv[0] is looked up in PATH (of `environment`) unless it has a slash
    std::optional<Environment> environment{};  // nothing: this process's own
    std::string working_dir{};                 // empty: this process's own
    std::string input{};                       // its standard input
    std::size_t output_limit = std::size_t{64} << 20U;   // of stdout and of stderr; what comes after is thrown away
    std::optional<std::chrono::milliseconds> timeout{};  // then it is killed
    bool merge_stderr = false;                           // into stdout, in order
    std::function<void(std::string_view)> on_output{};   // takes stdout as it comes; nothing of it is kept then
};

struct CommandResult {
    int exit_code = 0;  // 128 + signal when a signal ended it
    int signal = 0;
    bool timed_out = false;
    bool truncated = false;
    std::string out{};
    std::string err;
    [[nodiscard]] bool ok() const noexcept { return exit_code == 0 && !timed_out; }
};

/// Throws Error when it can't be started (exit_code() 127: no such program, 126: not executable). Returns when it has
/// ended, even if a child of it still holds the output open.
[[nodiscard]] CommandResult run_command(const Command& command);

}  // namespace compose::sys
