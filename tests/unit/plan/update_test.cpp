// One-shots that rest, and rolling updates.
#include <gmock/gmock.h>

#include "fixture.hpp"

namespace compose::test {
namespace {

using testing::Contains;

World with_job() {
    World w;
    w.add("job");
    w.add("web");
    w.depend("web", "job", Condition::completed);
    w.there_network("default");
    w.there("job", 1, ObservedStatus::exited);
    w.there("web");
    return w;
}

TEST(OneShot, RestsWhenItHasCompleted) {
    World w = with_job();
    EXPECT_EQ(w.text(), "\nWaitCompleted p-job-1\n");
    EXPECT_THAT(World::notes(w.plan()), Contains("Container p-job-1: Exited"));
}

TEST(OneShot, RunsAgainWhenItFailedOrWasStoppedOrMust) {
    World w = with_job();
    w.observed.containers[0].exit_code = 1;
    EXPECT_THAT(w.text(), testing::HasSubstr("StartContainer p-job-1"));
    w = with_job();
    w.observed.containers[0].stopped_by_user = true;
    EXPECT_THAT(w.text(), testing::HasSubstr("StartContainer p-job-1"));
    w = with_job();
    w.options.rerun = true;
    EXPECT_THAT(w.text(), testing::HasSubstr("StartContainer p-job-1"));
    w = with_job();
    w.project.services["job"].restart.kind = RestartPolicy::Kind::always;
    EXPECT_THAT(w.text(), testing::HasSubstr("StartContainer p-job-1"));
}

TEST(OneShot, AServerThatEndedWellIsStartedAgain) {
    const auto starts = [](const std::function<void(World&)>& change) {
        World w = with_job();
        w.project.services["web"].depends_on.clear();
        change(w);
        return w.text().find("StartContainer p-job-1") != std::string::npos;
    };
    EXPECT_FALSE(starts([](World&) {}));
    EXPECT_TRUE(starts([](World& w) { w.project.services["job"].ports.emplace_back(); }));
    EXPECT_TRUE(starts([](World& w) { w.project.services["job"].expose.emplace_back("80"); }));
    EXPECT_TRUE(starts([](World& w) { w.observed.containers[0].has_healthcheck = true; }));
    EXPECT_TRUE(starts([](World& w) {
        w.give_healthcheck("job");
        w.depend("web", "job", Condition::healthy);
    }));
    EXPECT_FALSE(starts([](World& w) {
        w.observed.containers[0].has_healthcheck = true;
        w.depend("web", "job", Condition::completed);
    })) << "somebody waits for just that";
}

TEST(OneShot, InTheForegroundOnlyTheAwaitedRest) {
    World w = with_job();
    w.options.rerun_unawaited = true;
    EXPECT_EQ(w.text(), "\nWaitCompleted p-job-1\n");
    w.project.services["web"].depends_on.clear();
    EXPECT_EQ(w.text(), "\nStartContainer p-job-1\n");
}

World rolling(const std::string& order) {
    World w;
    Service& service = w.add("web");
    service.scale = 2;
    service.config_hash = "h2";
    service.deploy.update = Deploy::Update{};
    service.deploy.update->order = order;
    w.there_network("default");
    w.there("web", 1);
    w.there("web", 2);
    return w;
}

TEST(RollingUpdate, StartsTheNewOneFirst) {
    EXPECT_EQ(rolling("start-first").text(), R"(
CreateContainer p-web-1 [config changed] as 000000000001_p-web-1
StartContainer p-web-1 after CreateContainer p-web-1
WaitReady p-web-1 after StartContainer p-web-1
StopContainer p-web-1 after WaitReady p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
RenameContainer p-web-1 from 000000000001_p-web-1 after RemoveContainer p-web-1
CreateContainer p-web-2 [config changed] as 000000000002_p-web-2 after WaitReady p-web-1, RenameContainer p-web-1
StartContainer p-web-2 after CreateContainer p-web-2
WaitReady p-web-2 after StartContainer p-web-2
StopContainer p-web-2 after WaitReady p-web-2
RemoveContainer p-web-2 after StopContainer p-web-2
RenameContainer p-web-2 from 000000000002_p-web-2 after RemoveContainer p-web-2
)");
}

/// One replica with a host port that the old container has.
World with_port(const std::string& held_at = "") {
    World w = rolling("start-first");
    Port port;
    port.target = 80;
    port.published_first = port.published_last = 8080;
    w.project.services["web"].ports.push_back(port);
    w.project.services["web"].scale = 1;
    w.observed.containers.pop_back();
    w.observed.ports.push_back({w.observed.containers[0].id, "p-web-1", "p", "tcp", held_at, 8080});
    return w;
}

TEST(RollingUpdate, PassesHostPortsOn) {
    EXPECT_EQ(with_port().text(), R"(
CreateContainer p-web-1 [config changed] as 000000000001_p-web-1
StartContainer p-web-1 after CreateContainer p-web-1
WaitReady p-web-1 after StartContainer p-web-1
TakePorts p-web-1 after WaitReady p-web-1
StopContainer p-web-1 after TakePorts p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
RenameContainer p-web-1 from 000000000001_p-web-1 after RemoveContainer p-web-1
)");
}

TEST(RollingUpdate, PassesEachReplicaOneOfARange) {
    World w = rolling("start-first");
    Port port;
    port.target = 80;
    port.published_first = 8000;
    port.published_last = 8005;
    w.project.services["web"].ports.push_back(port);
    for (const int i : {0, 1})
        w.observed.ports.push_back({w.observed.containers[static_cast<std::size_t>(i)].id, "", "p", "tcp", "",
                                    static_cast<std::uint16_t>(8000 + i)});
    EXPECT_THAT(w.text(), testing::HasSubstr("StopContainer p-web-1 after TakePorts p-web-1\n"));
    EXPECT_THAT(w.text(), testing::HasSubstr("StopContainer p-web-2 after TakePorts p-web-2\n"));
    EXPECT_THAT(w.text(), testing::HasSubstr("StartContainer p-web-1 after CreateContainer p-web-1\n"));
}

TEST(RollingUpdate, StopsTheOldOneFirstWhereAPortChangesItsAddress) {
    World w = with_port("127.0.0.1");
    const auto text = w.text();
    EXPECT_LT(text.find("StopContainer p-web-1"), text.find("StartContainer p-web-1"));
    EXPECT_THAT(World::notes(w.plan()), testing::Contains(testing::HasSubstr("Stops first: host port 8080/tcp")));
    w.observed.ports[0].host_ip = "";
    // Or when it is another service's up to now.
    w.observed.ports[0].container_id = std::string(64, 'e');
    w.observed.containers.push_back(w.observed.containers[0]);
    w.observed.containers.back().id = w.observed.ports[0].container_id;
    w.observed.containers.back().name = "p-gone-1";
    w.observed.containers.back().service = "gone";
    w.options.remove_orphans = true;
    EXPECT_THAT(w.text(), testing::HasSubstr("StartContainer p-web-1 after RenameContainer p-web-1, StopContainer"));
}

TEST(RollingUpdate, GoesOnWithWhatAnInterruptedOneHasLeft) {
    World w = with_port();
    ObservedContainer& fresh = w.there("web", 1);
    fresh.name = "000000000001_p-web-1";
    fresh.config_hash = "h2";
    EXPECT_EQ(w.text(), R"(
TakePorts p-web-1
StopContainer p-web-1 [left by an interrupted replacement] after TakePorts p-web-1
RemoveContainer p-web-1 [left by an interrupted replacement] after StopContainer p-web-1
RenameContainer p-web-1 [left by an interrupted replacement] from 000000000001_p-web-1 after RemoveContainer p-web-1
)");
    // It had got the ports already.
    w.observed.ports[0].container_id = w.observed.containers[1].id;
    EXPECT_THAT(w.text(), testing::Not(testing::HasSubstr("TakePorts")));
    // It is not well: away with it, and the ports go back to the one that stays.
    w.observed.containers[1].health = ObservedHealth::unhealthy;
    w.observed.containers[0].config_hash = "h2";
    EXPECT_EQ(w.text(), R"(
TakePorts p-web-1
StopContainer 000000000001_p-web-1 [left by an interrupted replacement] after TakePorts p-web-1
RemoveContainer 000000000001_p-web-1 [left by an interrupted replacement] after StopContainer 000000000001_p-web-1
)");
    // Nor is the other one what the file asks for: a third one can't have the name before it is free.
    w.observed.containers[0].config_hash = "h1";
    EXPECT_THAT(w.text(), testing::HasSubstr("CreateContainer p-web-1 [config changed] as 000000000001_p-web-1 after "
                                             "RemoveContainer 000000000001_p-web-1\n"));
}

TEST(RollingUpdate, AllAtOnceWithParallelismZero) {
    World w = rolling("");
    w.project.services["web"].deploy.update->parallelism = 0;
    EXPECT_THAT(w.text(), testing::HasSubstr("\nCreateContainer p-web-2 [config changed] as 000000000002_p-web-2\n"));
}

TEST(RollingUpdate, PausesAndMonitorsBetweenBatches) {
    World w = rolling("");
    auto& update = *w.project.services["web"].deploy.update;
    update.delay = std::chrono::seconds(5);
    update.monitor = std::chrono::seconds(2);
    update.max_failure_ratio = 0.5;
    const auto text = w.text();
    EXPECT_THAT(text, testing::HasSubstr("Delay web after WaitReady p-web-1, RenameContainer p-web-1\n"));
    EXPECT_THAT(
        text, testing::HasSubstr("CreateContainer p-web-2 [config changed] as 000000000002_p-web-2 after Delay web\n"));
    for (const auto& node : w.plan().nodes)
        if (const auto* wait = std::get_if<WaitContainer>(&node.action)) {
            EXPECT_EQ(wait->monitor, std::chrono::seconds(2));
            EXPECT_EQ(wait->tolerated, 1U);
        }
}

World with_way_back() {
    World w = rolling("");
    w.project.services["web"].deploy.update->failure_action = "rollback";
    return w;
}

TEST(RollingUpdate, KeepsTheOldOnesWhileThereMayBeAWayBack) {
    EXPECT_EQ(with_way_back().text(), R"(
CreateContainer p-web-1 [config changed] as 000000000001_p-web-1
StopContainer p-web-1 after CreateContainer p-web-1
StartContainer p-web-1 after StopContainer p-web-1
WaitReady p-web-1 after StartContainer p-web-1
CreateContainer p-web-2 [config changed] as 000000000002_p-web-2 after WaitReady p-web-1, StopContainer p-web-1
StopContainer p-web-2 after CreateContainer p-web-2
StartContainer p-web-2 after StopContainer p-web-2
WaitReady p-web-2 after StartContainer p-web-2
RemoveContainer p-web-1 after WaitReady p-web-1, WaitReady p-web-2, StopContainer p-web-1
RenameContainer p-web-1 from 000000000001_p-web-1 after RemoveContainer p-web-1
RemoveContainer p-web-2 after WaitReady p-web-1, WaitReady p-web-2, StopContainer p-web-2
RenameContainer p-web-2 from 000000000002_p-web-2 after RemoveContainer p-web-2
)");
}

/// Both replaced, none removed yet, the second one failed.
ObservedState half_way(World& w) {
    w.observed.containers[0].status = w.observed.containers[1].status = ObservedStatus::exited;
    w.there("web", 1).name = "000000000001_p-web-1";
    w.there("web", 2, ObservedStatus::exited).name = "000000000002_p-web-2";
    return w.observed;
}

TEST(Rollback, BringsTheOldOnesBackInBatches) {
    World w = with_way_back();
    const Plan failed = w.plan();
    const auto observed = half_way(w);
    EXPECT_EQ(World::lines(plan_rollback(w.project, failed, observed)), R"(
StopContainer 000000000001_p-web-1 [rolled back]
RemoveContainer 000000000001_p-web-1 [rolled back] after StopContainer 000000000001_p-web-1
StartContainer p-web-1 [rolled back] after RemoveContainer 000000000001_p-web-1
WaitReady p-web-1 after StartContainer p-web-1
RemoveContainer 000000000002_p-web-2 [rolled back] after RemoveContainer 000000000001_p-web-1, WaitReady p-web-1
StartContainer p-web-2 [rolled back] after RemoveContainer 000000000002_p-web-2
WaitReady p-web-2 after StartContainer p-web-2
)");
    w.project.services["web"].deploy.rollback = Deploy::Update{};
    w.project.services["web"].deploy.rollback->parallelism = 0;
    w.project.services["web"].deploy.rollback->order = "start-first";
    EXPECT_EQ(World::lines(plan_rollback(w.project, failed, observed)), R"(
StartContainer p-web-1 [rolled back]
WaitReady p-web-1 after StartContainer p-web-1
StopContainer 000000000001_p-web-1 [rolled back] after WaitReady p-web-1
RemoveContainer 000000000001_p-web-1 [rolled back] after StopContainer 000000000001_p-web-1
StartContainer p-web-2 [rolled back]
WaitReady p-web-2 after StartContainer p-web-2
RemoveContainer 000000000002_p-web-2 [rolled back] after WaitReady p-web-2
)");
}

TEST(Rollback, GivesHostPortsBackTheWayTheyCame) {
    World w = with_port();
    auto& update = *w.project.services["web"].deploy.update;
    update.failure_action = "rollback";
    const Plan failed = w.plan();
    w.observed.containers[0].status = ObservedStatus::exited;
    w.there("web", 1).name = "000000000001_p-web-1";
    w.observed.ports[0].container_id = w.observed.containers[1].id;
    EXPECT_EQ(World::lines(plan_rollback(w.project, failed, w.observed)), R"(
StartContainer p-web-1 [rolled back]
WaitReady p-web-1 after StartContainer p-web-1
TakePorts p-web-1 after WaitReady p-web-1
StopContainer 000000000001_p-web-1 [rolled back] after TakePorts p-web-1
RemoveContainer 000000000001_p-web-1 [rolled back] after StopContainer 000000000001_p-web-1
)");
    // It failed between the two: the old one runs, and has no ports.
    w.observed.containers[0].status = ObservedStatus::running;
    EXPECT_EQ(World::lines(plan_rollback(w.project, failed, w.observed)), R"(
TakePorts p-web-1
StopContainer 000000000001_p-web-1 [rolled back] after TakePorts p-web-1
RemoveContainer 000000000001_p-web-1 [rolled back] after StopContainer 000000000001_p-web-1
)");
    update.order = "";
    EXPECT_THAT(World::lines(plan_rollback(w.project, failed, w.observed)), testing::HasSubstr("TakePorts"));
}

TEST(Rollback, LeavesAloneWhatWasNotToBeRolledBack) {
    World w = with_way_back();
    const Plan failed = w.plan();
    const auto observed = half_way(w);
    w.project.services["web"].deploy.update->failure_action = "pause";
    EXPECT_TRUE(plan_rollback(w.project, failed, observed).nodes.empty());
}

TEST(ChangedVolume, IsMadeAnewWhenItIsAnswered) {
    World w;
    w.add_volume("data").config_hash = "v2";
    Mount mount;
    mount.type = Mount::Type::volume;
    mount.source = "data";
    mount.target = "/data";
    w.add("web").mounts.push_back(mount);
    w.there_network("default");
    w.there_volume("data").users = {"p-web-1"};
    w.there("web").volumes = {"p_data"};
    EXPECT_EQ(w.text(), "\n");
    EXPECT_THAT(World::notes(w.plan()), Contains(testing::HasSubstr("is kept")));
    w.options.recreate_volumes = {"p_data"};
    EXPECT_EQ(w.text(), R"(
StopContainer p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
RemoveVolume p_data [config changed] after RemoveContainer p-web-1
CreateVolume p_data after RemoveVolume p_data
CreateContainer p-web-1 [volume p_data changed] after CreateVolume p_data, RemoveContainer p-web-1
StartContainer p-web-1 after CreateContainer p-web-1
)");
    w.observed.volumes["p_data"].users.push_back("q-db-1");
    EXPECT_THAT(w.findings(), Contains(testing::HasSubstr("container q-db-1 uses it")));
}

}  // namespace
}  // namespace compose::test
