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
    service.deploy.update.emplace();
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

TEST(RollingUpdate, StopsTheOldOneFirstWhereTheyWantTheSamePort) {
    World w = rolling("start-first");
    Port port;
    port.target = 80;
    port.published_first = port.published_last = 8080;
    w.project.services["web"].ports.push_back(port);
    w.project.services["web"].scale = 1;
    w.observed.containers.pop_back();
    const auto text = w.text();
    EXPECT_LT(text.find("StopContainer p-web-1"), text.find("StartContainer p-web-1"));
}

TEST(RollingUpdate, AllAtOnceWithParallelismZero) {
    World w = rolling("");
    w.project.services["web"].deploy.update->parallelism = 0;
    EXPECT_THAT(w.text(), testing::HasSubstr("\nCreateContainer p-web-2 [config changed] as 000000000002_p-web-2\n"));
}

}  // namespace
}  // namespace compose::test
