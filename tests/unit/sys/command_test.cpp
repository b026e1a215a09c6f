// Host programs, for real.
#include "sys/command.hpp"

#include <gtest/gtest.h>

#include "sys/error.hpp"

namespace compose::sys {
namespace {

TEST(RunCommand, KeepsArgumentsOutputsAndExitCodeApart) {
    const auto result =
        run_command({.argv = {"sh", "-c", "printf '%s|' \"$@\"; echo bad >&2; exit 7", "sh", "a b", "", "$x"}});
    EXPECT_EQ(result.out, "a b||$x|");
    EXPECT_EQ(result.err, "bad\n");
    EXPECT_EQ(result.exit_code, 7);
    EXPECT_FALSE(result.ok());
}

TEST(RunCommand, FeedsMoreThanAPipeHolds) {
    const std::string text(1 << 20, 'x');
    const auto result = run_command({.argv = {"cat"}, .input = text});
    EXPECT_EQ(result.out, text);
    EXPECT_TRUE(result.ok());
}

TEST(RunCommand, LivesWithAProgramThatReadsNothing) {
    const auto result = run_command({.argv = {"true"}, .input = std::string(1 << 20, 'x')});
    EXPECT_EQ(result.exit_code, 0);
}

TEST(RunCommand, GivesFolderAndEnvironment) {
    Environment environment{{"PATH", "/usr/bin:/bin"}, {"A", "1"}};
    const auto result =
        run_command({.argv = {"sh", "-c", "pwd; env"}, .environment = environment, .working_dir = "/usr"});
    EXPECT_EQ(result.out.substr(0, 5), "/usr\n");
    EXPECT_NE(result.out.find("A=1\n"), std::string::npos);
    EXPECT_EQ(result.out.find("HOME="), std::string::npos);
}

TEST(RunCommand, CutsOutputAtTheLimit) {
    const auto result = run_command({.argv = {"head", "-c", "100000", "/dev/zero"}, .output_limit = 1000});
    EXPECT_EQ(result.out.size(), 1000U);
    EXPECT_TRUE(result.truncated);
    EXPECT_TRUE(result.ok());
}

TEST(RunCommand, KillsAtTheTimeout) {
    const auto result = run_command({.argv = {"sleep", "60"}, .timeout = std::chrono::milliseconds(50)});
    EXPECT_TRUE(result.timed_out);
    EXPECT_EQ(result.signal, 9);
    EXPECT_EQ(result.exit_code, 137);
}

TEST(RunCommand, DoesNotWaitForGrandchildrenThatHoldTheOutput) {
    const auto before = std::chrono::steady_clock::now();
    const auto result = run_command({.argv = {"sh", "-c", "echo done; sleep 5 & exit 0"}});
    EXPECT_EQ(result.out, "done\n");
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
}

TEST(RunCommand, MergesStderrInOrder) {
    const auto result = run_command({.argv = {"sh", "-c", "echo 1; echo 2 >&2; echo 3"}, .merge_stderr = true});
    EXPECT_EQ(result.out, "1\n2\n3\n");
}

TEST(RunCommand, SaysWhatIsMissing) {
    try {
        (void)run_command({.argv = {"no-such-program-here"}});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "no-such-program-here: program not found in PATH");
        EXPECT_EQ(error.exit_code(), 127);
    }
    try {
        (void)run_command({.argv = {"/etc/passwd"}});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "run /etc/passwd: permission denied");
        EXPECT_EQ(error.exit_code(), 126);
    }
}

}  // namespace
}  // namespace compose::sys
