// Who follows a project goes on doing so while its containers are made and started anew.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;

constexpr const char* kOne = R"(
services:
  one:
    image: busybox
    command: ["sh", "-c", "echo I am $$HOSTNAME; exec sleep 1000"]
    stop_grace_period: 0s
)";

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

int count_of(const std::string& text, const std::string& what) {
    int count = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
    return count;
}

// Is the process still there, and no zombie?
bool is_alive(const Background& process) {
    return std::filesystem::exists("/proc/" + std::to_string(process.pid()) + "/exe");
}

void follow_through(const std::vector<std::string>& command) {
    Sandbox box;
    box.write("compose.yaml", kOne);
    const std::string out = box.path("follow.out");
    box.ok({"up", "-d"});
    std::vector<std::string> argv{COMPOSE_BINARY};
    argv.insert(argv.end(), command.begin(), command.end());
    const Background follower(box, argv, out);
    const auto lines = [&] { return count_of(text_of(out), "I am "); };
    const bool from_start = command.front() == "logs";  // a foreground up shows what comes from now on
    int expected = from_start ? 1 : 0;
    // Its own work is done: what it says of that it says before and after.
    const auto settled = [&] { return count_of(text_of(out), "Container demo-one-1 Running") == 2; };
    ASSERT_TRUE(eventually([&] { return from_start ? lines() == 1 : settled(); })) << text_of(out);
    for (int round = 0; round < 3; ++round) {
        box.ok({"up", "-d", "--force-recreate"});
        ++expected;
        ASSERT_TRUE(eventually([&] { return lines() >= expected; })) << text_of(out);
    }
    box.ok({"restart", "-t", "0"});
    ++expected;
    ASSERT_TRUE(eventually([&] { return lines() >= expected; })) << text_of(out);
    EXPECT_EQ(lines(), expected) << text_of(out);
    EXPECT_TRUE(is_alive(follower)) << text_of(out);
    box.ok({"down", "-t", "0"});
    EXPECT_TRUE(eventually([&] { return !is_alive(follower); })) << "there is nothing left to follow";
}

TEST(LogFollow, EachLineComesOnceThroughRecreationsAndRestarts) {
    REQUIRE_ROOT();
    follow_through({"logs", "-f", "--no-color"});
}

TEST(LogFollow, AForegroundUpStays) {
    REQUIRE_ROOT();
    follow_through({"up", "--no-recreate"});
}

TEST(LogFollow, ANewContainerIsShownWholeWhateverTailSays) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kOne);
    const std::string out = box.path("follow.out");
    box.ok({"up", "-d"});
    const Background follower(box, {COMPOSE_BINARY, "logs", "-f", "--no-color", "--tail", "0"}, out);
    ASSERT_TRUE(
        eventually([&] { return text_of("/proc/" + std::to_string(follower.pid()) + "/comm") == "compose\n"; }));
    // It has begun once it shows what is written now.
    ASSERT_TRUE(eventually([&] {
        (void)box.compose({"exec", "-T", "one", "sh", "-c", "echo begun > /proc/1/fd/1"});
        return text_of(out).find("begun") != std::string::npos;
    }));
    box.ok({"up", "-d", "--force-recreate"});
    ASSERT_TRUE(eventually([&] { return count_of(text_of(out), "I am ") == 1; })) << text_of(out);
    box.ok({"down", "-t", "0"});
}

}  // namespace
}  // namespace compose::test
