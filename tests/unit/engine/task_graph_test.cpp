// Tasks that need each other: order, how many at once, and how the first failure ends it all.
#include "engine/task_graph.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace compose::engine {
namespace {

using ::testing::ElementsAre;

TEST(TaskGraph, NeedsComeFirstAndTheLowestOfThoseThatAreReady) {
    std::vector<std::size_t> order;
    std::stop_source stop;
    run_tasks({{2}, {}, {3}, {}}, 1, stop, [&](std::size_t i) { order.push_back(i); });
    EXPECT_THAT(order, ElementsAre(1, 3, 2, 0));
    run_tasks({}, 4, stop, [](std::size_t) { FAIL(); });
}

TEST(TaskGraph, AsManyAtOnceAsWereAllowed) {
    std::latch all(3);
    std::stop_source stop;
    run_tasks({{}, {}, {}}, 3, stop, [&](std::size_t) { all.arrive_and_wait(); });  // hangs unless all run at once
    std::atomic<int> running = 0, most = 0;
    run_tasks({{}, {}, {}, {}}, 2, stop, [&](std::size_t) {
        most = std::max(most.load(), ++running);
        --running;
    });
    EXPECT_LE(most.load(), 2);
}

TEST(TaskGraph, TheFirstFailureStopsTheOthersAndIsTheOneThatIsTold) {
    std::stop_source stop;
    std::atomic<bool> began = false;
    try {
        run_tasks({{}, {}, {0}}, 2, stop, [&](std::size_t i) {
            if (i == 0) throw Error("the reason");
            if (i == 2) began = true;
            while (!stop.stop_requested()) std::this_thread::yield();
            throw Error("was stopped");
        });
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "the reason");
    }
    EXPECT_FALSE(began) << "what needs the failed one is not begun";
}

TEST(TaskGraph, ACycleIsAnError) {
    std::stop_source stop;
    EXPECT_THROW(run_tasks({{1}, {0}}, 2, stop, [](std::size_t) {}), Error);
}

}  // namespace
}  // namespace compose::engine
