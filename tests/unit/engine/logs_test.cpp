// Several logs as one stream.
#include <compose/logs.hpp>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "sys/file.hpp"
#include "sys/poll.hpp"

namespace compose {
namespace {

class Logs : public ::testing::Test {
protected:
    Logs() {
        char name[] = "/tmp/compose-logs-XXXXXX";
        root_ = ::mkdtemp(name);
    }
    ~Logs() override { std::filesystem::remove_all(root_); }

    std::string log(const std::string& id) {
        sys::make_directory(root_ + "/" + id);
        return root_ + "/" + id + "/container.log";
    }
    void append(const std::string& id, int second, const std::string& rest) {
        const auto path = log(id);
        const auto before = sys::read_file_if_exists(path).value_or("");
        sys::write_file(path, before + "2026-01-02T03:04:0" + std::to_string(second) + ".000000001Z " + rest + "\n");
    }
    static std::string text(ContainerLogs& logs) {
        std::string out;
        while (const auto entry = logs.next())
            out += entry->container_id + (entry->error ? "!" : ":") + entry->text + (entry->partial ? "+" : "") + " ";
        return out;
    }

    std::string root_;
};

TEST_F(Logs, MergesByTime) {
    append("a", 1, "stdout F one");
    append("a", 4, "stderr F four");
    append("b", 2, "stdout P two");
    append("b", 3, "stdout F three");
    ContainerLogs logs(false);
    logs.add("a", log("a"), {});
    logs.add("b", log("b"), {});
    logs.add("c", log("c"), {});
    EXPECT_EQ(logs.fd(), -1);
    EXPECT_EQ(text(logs), "a:one b:two+ b:three a!four ");
}

TEST_F(Logs, KeepsToTheRange) {
    for (int i = 1; i < 7; ++i) append("a", i, "stdout F " + std::to_string(i));
    ContainerLogs tail(false);
    tail.add("a", log("a"), {.tail = 2});
    EXPECT_EQ(text(tail), "a:5 a:6 ");
    constexpr std::int64_t kThree = 1'767'323'043'000'000'000;
    ContainerLogs span(false);
    span.add("a", log("a"), {.tail = {}, .since = kThree, .until = kThree + 2'000'000'000});
    EXPECT_EQ(text(span), "a:3 a:4 ");
}

TEST_F(Logs, FollowsOneDescriptorForAll) {
    ContainerLogs logs(true);
    logs.add("a", log("a"), {});
    logs.add("b", log("b"), {});
    logs.add("gone", root_ + "/gone/container.log", {});
    EXPECT_EQ(text(logs), "");
    std::array<sys::PollItem, 1> items{sys::PollItem{.fd = sys::FdRef(logs.fd())}};
    EXPECT_FALSE(sys::poll(items, std::chrono::milliseconds(0)));
    append("b", 2, "stdout F later");
    EXPECT_TRUE(sys::poll(items, std::chrono::seconds(5)));
    EXPECT_EQ(text(logs), "b:later ");
    EXPECT_FALSE(sys::poll(items, std::chrono::milliseconds(0)));
    logs.remove("b");
    append("b", 3, "stdout F unheard");
    append("a", 3, "stdout F heard");
    EXPECT_EQ(text(logs), "a:heard ");
}

}  // namespace
}  // namespace compose
