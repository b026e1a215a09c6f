// Many containers at once: how long they take, and how much memory stays behind for them.
#include <atomic>
#include <fstream>
#include <thread>

#include "sys/clock.hpp"
#include "world.hpp"

namespace compose::supervisor::test {
namespace {

using namespace std::chrono_literals;
using store::ContainerState;

class Load : public World {
protected:
    static long pss_kilobytes(int pid) {
        std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
        for (std::string word; file >> word;)
            if (long value = 0; word == "Pss:" && file >> value) return value;
        return 0;
    }
};

TEST_F(Load, AHundredContainersInOneNetwork) {
    constexpr int kCount = 100;
    const auto network = make_network("10.78.0.0/24");
    std::vector<std::string> ids;
    for (int i = 0; i < kCount; ++i)
        ids.push_back(make(fmt::format("c{}", i),
                           {.args = {"sleep", "1000"}, .network = network, .aliases = {fmt::format("c{}", i)}}));
    (void)client();
    const auto before = sys::monotonic_now();
    std::atomic<int> next = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < 8; ++i)
        workers.emplace_back([&] {
            auto connection = client();
            for (int at = 0; (at = next++) < kCount;) connection.start(ids[static_cast<std::size_t>(at)]);
        });
    for (auto& worker : workers) worker.join();
    const auto started = sys::monotonic_now();
    EXPECT_EQ(exec(ids[0], "nslookup c99 >/dev/null && echo found"), "found\n");
    std::this_thread::sleep_for(1500ms);  // until its memory is given back
    const auto memory = pss_kilobytes(resident("keeper")) + pss_kilobytes(resident("supervisor"));
    auto connection = client();
    const auto stopping = sys::monotonic_now();
    for (const auto& id : ids) connection.stop(id, 0ns);
    const auto stopped = sys::monotonic_now();
    fmt::print("start {} ms, stop {} ms, resident {} kB\n", (started - before) / 1ms, (stopped - stopping) / 1ms,
               memory);
    // What is promised is less; a busy machine must not fail this.
    EXPECT_LT(started - before, 60s);
    EXPECT_LT(memory, 40000);
}

TEST_F(Load, AFloodDelaysNobody) {
    const auto flood =
        make("flood", {.script = "while :; do echo 0123456789012345678901234567890123456789; done | cat"});
    const auto quiet = make("quiet", {.script = "while :; do sleep 0.05; echo tick; done"});
    auto connection = client();
    connection.start(flood);
    connection.start(quiet);
    LogReader reader(layout_.container_log(quiet), {});
    (void)reader.watch();
    LogLine line;
    int ticks = 0;
    std::chrono::nanoseconds worst{0};
    const auto end = sys::monotonic_now() + 2s;
    while (sys::monotonic_now() < end) {
        if (!reader.wait(100ms)) continue;
        while (reader.next(line)) ++ticks;
        const auto asked = sys::monotonic_now();
        connection.start(quiet);  // it runs: a question and an answer
        worst = std::max<std::chrono::nanoseconds>(worst, sys::monotonic_now() - asked);
    }
    fmt::print("{} ticks, slowest answer {} us\n", ticks, worst / 1us);
    EXPECT_GT(ticks, 10);
    EXPECT_LT(worst, 1s);
    connection.stop(flood, 0ns);
}

}  // namespace
}  // namespace compose::supervisor::test
