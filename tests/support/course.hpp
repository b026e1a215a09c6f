// A sandbox in which the program is also called docker, and shell lines that use it.
#pragma once

#include <filesystem>

#include "base/strings.hpp"
#include "support/sandbox.hpp"

namespace compose::test {

class Course : public Sandbox {
public:
    Course() {
        std::filesystem::create_directory(folder() + "/bin");
        std::filesystem::create_symlink(COMPOSE_BINARY, docker());
        environment["PATH"] = folder() + "/bin:" + environment["PATH"];
    }
    [[nodiscard]] std::string docker() const { return folder() + "/bin/docker"; }
    /// Lines of a shell in which `docker` is ours.
    [[nodiscard]] Result sh(const std::string& script) const {
        return sys::run_command({.argv = {"sh", "-c", script},
                                 .environment = environment,
                                 .working_dir = folder(),
                                 .timeout = std::chrono::seconds(60)});
    }
    /// The same; a failure fails the test. Standard output without the last line end.
    std::string run(const std::string& script) const {
        const auto result = sh(script);
        EXPECT_EQ(result.exit_code, 0) << script << "\nstdout: " << result.out << "\nstderr: " << result.err;
        return std::string(trim(result.out));
    }
    [[nodiscard]] int code(const std::string& script) const { return sh(script).exit_code; }
};

}  // namespace compose::test
