#include "supervisor/restart.hpp"

#include <gtest/gtest.h>

namespace compose::supervisor {
namespace {

using namespace std::chrono_literals;
using Kind = RestartPolicy::Kind;

TEST(RestartPolicy, ReadsWhatComposeWrites) {
    EXPECT_EQ(RestartPolicy::parse("")->kind, Kind::no);
    EXPECT_EQ(RestartPolicy::parse("no")->kind, Kind::no);
    EXPECT_EQ(RestartPolicy::parse("always")->kind, Kind::always);
    EXPECT_EQ(RestartPolicy::parse("unless-stopped")->kind, Kind::unless_stopped);
    EXPECT_EQ(RestartPolicy::parse("on-failure")->max_retries, 0);
    EXPECT_EQ(RestartPolicy::parse("on-failure:7")->max_retries, 7);
    for (const auto* wrong : {"maybe", "on-failure:", "on-failure:x", "on-failure:-1", "always:3", "on-failure:1 "})
        EXPECT_FALSE(RestartPolicy::parse(wrong)) << wrong;
}

TEST(NextRestart, DoublesUpToAMinute) {
    RestartHistory history;
    std::vector<std::chrono::nanoseconds> delays;
    for (int i = 0; i < 13; ++i) delays.push_back(*next_restart({Kind::always, 0}, history, 1, 1s, false));
    EXPECT_EQ(delays[0], 100ms);
    EXPECT_EQ(delays[1], 200ms);
    EXPECT_EQ(delays[9], 51200ms);
    EXPECT_EQ(delays[10], 60s);
    EXPECT_EQ(delays[12], 60s);
    EXPECT_EQ(history.restarts, 13);
}

TEST(NextRestart, DelayAttemptsAndWindowOfDeployments) {
    RestartPolicy policy{.kind = Kind::always, .max_retries = 2, .delay = 3s, .window = 5s};
    RestartHistory history;
    EXPECT_EQ(*next_restart(policy, history, 0, 1s, false), 3s);
    EXPECT_EQ(*next_restart(policy, history, 0, 1s, false), 3s);
    EXPECT_FALSE(next_restart(policy, history, 0, 1s, false)) << "two attempts, both too short";
    EXPECT_EQ(*next_restart(policy, history, 0, 5s, false), 3s) << "it outlasted the window";
    EXPECT_EQ(history.restarts, 3);
}

TEST(NextRestart, BeginsAnewAfterTenSecondsOfRunning) {
    RestartHistory history;
    for (int i = 0; i < 5; ++i) (void)next_restart({Kind::always, 0}, history, 1, 9999ms, false);
    EXPECT_EQ(*next_restart({Kind::always, 0}, history, 0, 10s, false), 100ms);
    EXPECT_EQ(*next_restart({Kind::always, 0}, history, 0, 0s, false), 200ms);
}

TEST(NextRestart, OnFailureCountsAndIgnoresSuccess) {
    const RestartPolicy policy{Kind::on_failure, 2};
    RestartHistory history;
    EXPECT_TRUE(next_restart(policy, history, 1, 0s, false));
    EXPECT_TRUE(next_restart(policy, history, 137, 0s, false));
    EXPECT_FALSE(next_restart(policy, history, 1, 0s, false));
    RestartHistory fresh;
    EXPECT_FALSE(next_restart(policy, fresh, 0, 0s, false));
    EXPECT_EQ(fresh.restarts, 0);
}

TEST(NextRestart, NeverAgainstTheUsersWill) {
    for (const auto kind : {Kind::no, Kind::always, Kind::on_failure, Kind::unless_stopped}) {
        RestartHistory history;
        EXPECT_FALSE(next_restart({kind, 0}, history, 1, 0s, true));
    }
    RestartHistory history;
    EXPECT_FALSE(next_restart({Kind::no, 0}, history, 1, 0s, false));
}

TEST(Revive, OnlyWhatIsMeantToRunAlways) {
    EXPECT_TRUE(revive({Kind::always, 0}, false));
    EXPECT_TRUE(revive({Kind::unless_stopped, 0}, false));
    EXPECT_FALSE(revive({Kind::unless_stopped, 0}, true));
    EXPECT_FALSE(revive({Kind::on_failure, 0}, false));
    EXPECT_FALSE(revive({Kind::no, 0}, false));
}

}  // namespace
}  // namespace compose::supervisor
