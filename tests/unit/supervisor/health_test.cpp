#include "supervisor/health.hpp"

#include <gtest/gtest.h>

namespace compose::supervisor {
namespace {

using namespace std::chrono_literals;
using store::Health;
using Time = HealthMonitor::Time;

HealthConfig config() {
    HealthConfig result;
    result.command = {"true"};
    result.interval = 10s;
    result.retries = 3;
    return result;
}

TEST(HealthMonitor, OneSuccessMakesHealthy) {
    HealthMonitor monitor(config(), Time{});
    EXPECT_EQ(monitor.state(), Health::starting);
    EXPECT_TRUE(monitor.record(Time{10s}, true));
    EXPECT_EQ(monitor.state(), Health::healthy);
    EXPECT_FALSE(monitor.record(Time{20s}, true));
}

TEST(HealthMonitor, OnlySoManyFailuresInARowMakeUnhealthy) {
    HealthMonitor monitor(config(), Time{});
    EXPECT_TRUE(monitor.record(Time{1s}, true));
    EXPECT_FALSE(monitor.record(Time{2s}, false));
    EXPECT_FALSE(monitor.record(Time{3s}, false));
    EXPECT_FALSE(monitor.record(Time{4s}, true));
    EXPECT_EQ(monitor.failing_streak(), 0);
    EXPECT_FALSE(monitor.record(Time{5s}, false));
    EXPECT_FALSE(monitor.record(Time{6s}, false));
    EXPECT_TRUE(monitor.record(Time{7s}, false));
    EXPECT_EQ(monitor.state(), Health::unhealthy);
    EXPECT_TRUE(monitor.record(Time{8s}, true));
    EXPECT_EQ(monitor.state(), Health::healthy);
}

TEST(HealthMonitor, ForgivesFailuresInTheStartPeriodUntilTheFirstSuccess) {
    auto with_period = config();
    with_period.start_period = 60s;
    HealthMonitor patient(with_period, Time{});
    for (auto at = Time{1s}; at < Time{60s}; at += 5s) EXPECT_FALSE(patient.record(at, false));
    EXPECT_EQ(patient.failing_streak(), 0);
    EXPECT_FALSE(patient.record(Time{60s}, false));
    EXPECT_FALSE(patient.record(Time{61s}, false));
    EXPECT_TRUE(patient.record(Time{62s}, false));

    HealthMonitor started(with_period, Time{});
    EXPECT_TRUE(started.record(Time{1s}, true));
    EXPECT_FALSE(started.record(Time{2s}, false));
    EXPECT_FALSE(started.record(Time{3s}, false));
    EXPECT_TRUE(started.record(Time{4s}, false));
}

TEST(HealthMonitor, ProbesMoreOftenWhileItStarts) {
    auto with_period = config();
    with_period.start_period = 60s;
    with_period.start_interval = 2s;
    HealthMonitor monitor(with_period, Time{});
    EXPECT_EQ(monitor.pause(Time{0s}), 2s);
    EXPECT_EQ(monitor.pause(Time{60s}), 10s);
    EXPECT_TRUE(monitor.record(Time{2s}, true));
    EXPECT_EQ(monitor.pause(Time{3s}), 10s);
    EXPECT_EQ(HealthMonitor(config(), Time{}).pause(Time{0s}), 10s) << "without a start period";
}

TEST(HealthMonitor, GoesOnWhereAnEarlierSupervisorWas) {
    HealthMonitor monitor(config(), Time{}, Health::unhealthy);
    EXPECT_EQ(monitor.state(), Health::unhealthy);
    EXPECT_TRUE(monitor.record(Time{1s}, true));
}

TEST(HealthConfig, SurvivesJson) {
    auto before = config();
    before.command = {"/bin/sh", "-c", "test \"$A\" = 'b'"};
    before.timeout = 1500ms;
    before.start_period = 1h;
    before.start_interval = 1ns;
    const auto after = health_from_json(to_json(before));
    EXPECT_EQ(after.command, before.command);
    EXPECT_EQ(after.interval, before.interval);
    EXPECT_EQ(after.timeout, before.timeout);
    EXPECT_EQ(after.start_period, before.start_period);
    EXPECT_EQ(after.start_interval, before.start_interval);
    EXPECT_EQ(after.retries, before.retries);
    EXPECT_ANY_THROW((void)health_from_json("[]"));
    EXPECT_ANY_THROW((void)health_from_json("{\"command\":[]}"));
}

}  // namespace
}  // namespace compose::supervisor
