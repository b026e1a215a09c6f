// down, start, stop, restart: planners over what is there.
#include "fixture.hpp"
#include "plan/depends_label.hpp"

namespace compose::test {
namespace {

using Lines = std::vector<std::string>;

World two() {
    World w;
    w.add("db");
    w.add("web", {"db"});
    w.there_network("default");
    w.there("db");
    w.there("web");
    return w;
}

TEST(PlanDown, DependentsGoFirstNetworksLast) {
    World w = two();
    EXPECT_EQ(World::lines(plan_down(nullptr, w.observed, {})), R"(
StopContainer p-web-1
StopContainer p-db-1 after StopContainer p-web-1
RemoveContainer p-db-1 after StopContainer p-db-1
RemoveContainer p-web-1 after StopContainer p-web-1
RemoveNetwork p_default after RemoveContainer p-db-1, RemoveContainer p-web-1
)");
}

TEST(PlanDown, WithoutTimeToStopEachContainerIsOneStep) {
    World w = two();
    w.there("job", 1, ObservedStatus::exited);
    DownOptions options;
    options.timeout = Nanoseconds(0);
    EXPECT_EQ(World::lines(plan_down(nullptr, w.observed, options)), R"(
RemoveContainer p-web-1 by force
RemoveContainer p-db-1 by force after RemoveContainer p-web-1
RemoveContainer p-job-1
RemoveNetwork p_default after RemoveContainer p-db-1, RemoveContainer p-web-1, RemoveContainer p-job-1
)");
}

TEST(PlanDown, VolumesGoOnlyWhenAsked) {
    World w = two();
    w.there_volume("data").users = {"p-db-1"};
    w.add_volume("data");
    w.observed.containers[0].volumes = {"p_data", "anon"};
    ObservedVolume& anonymous = w.observed.volumes["anon"];
    anonymous.name = "anon";
    anonymous.project = "p";
    anonymous.anonymous = true;
    anonymous.users = {"p-db-1"};
    EXPECT_EQ(World::lines(plan_down(&w.project, w.observed, {})).find("Volume"), std::string::npos);
    DownOptions options;
    options.volumes = true;
    const std::string text = World::lines(plan_down(&w.project, w.observed, options));
    EXPECT_NE(text.find("RemoveContainer p-db-1 with volumes after"), std::string::npos) << text;
    EXPECT_NE(text.find("RemoveVolume p_data after RemoveContainer p-db-1\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("RemoveVolume anon"), std::string::npos) << text;
    w.project.volumes.at("data").external = true;
    EXPECT_EQ(World::lines(plan_down(&w.project, w.observed, options)).find("RemoveVolume"), std::string::npos);
    // What the file does not name is kept: it may be what a file of yesterday named, or a command.
    w.project.volumes.clear();
    EXPECT_EQ(World::lines(plan_down(&w.project, w.observed, options)).find("RemoveVolume"), std::string::npos);
    EXPECT_NE(World::lines(plan_down(nullptr, w.observed, options)).find("RemoveVolume p_data"), std::string::npos);
}

TEST(PlanDown, OrphansStayUnlessAskedFor) {
    World w = two();
    w.there("old");
    DownOptions options;
    EXPECT_EQ(World::lines(plan_down(&w.project, w.observed, options)).find("p-old-1"), std::string::npos);
    EXPECT_NE(World::lines(plan_down(nullptr, w.observed, options)).find("p-old-1"), std::string::npos);
    options.remove_orphans = true;
    EXPECT_NE(World::lines(plan_down(&w.project, w.observed, options)).find("p-old-1"), std::string::npos);
}

TEST(PlanDown, NamedServicesLeaveTheNetwork) {
    World w = two();
    DownOptions options;
    options.services = {"web"};
    EXPECT_EQ(World::lines(plan_down(&w.project, w.observed, options)), R"(
StopContainer p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
)");
    options.services = {"nosuch"};
    EXPECT_THROW((void)plan_down(&w.project, w.observed, options), Error);
}

TEST(PlanDown, SaysSoWhenThereIsNothing) {
    ObservedState observed;
    observed.project = "p";
    const Plan plan = plan_down(nullptr, observed, {});
    EXPECT_TRUE(plan.nodes.empty());
    EXPECT_EQ(World::notes(plan), (Lines{"Project p: Warning: No resource found to remove for project \"p\"."}));
}

TEST(PlanDown, ACycleInLabelsDoesNotHinderIt) {
    World w = two();
    Dependency back;
    back.service = "web";
    w.observed.containers[0].depends_on.push_back(back);
    EXPECT_EQ(to_text(plan_down(nullptr, w.observed, {})).size(), 5U);
}

TEST(PlanStart, StartsTheChainInOrderAndWaits) {
    World w;
    w.add("db");
    w.give_healthcheck("db");
    w.add("web");
    w.depend("web", "db", Condition::healthy);
    w.there("db", 1, ObservedStatus::exited);
    w.there("web", 1, ObservedStatus::exited);
    EXPECT_EQ(World::lines(plan_start(w.observed, {"web"})), R"(
StartContainer p-db-1
WaitHealthy p-db-1 after StartContainer p-db-1
StartContainer p-web-1 after WaitHealthy p-db-1
)");
    EXPECT_EQ(World::lines(plan_start(w.observed, {"db"})), "\nStartContainer p-db-1\n");
    const auto is_required = [&](const Project* file) {
        for (const auto& node : plan_start(w.observed, {}, false, file).nodes)
            if (const auto* waits = std::get_if<WaitContainer>(&node.action)) return waits->required;
        return false;
    };
    EXPECT_TRUE(is_required(&w.project));
    w.project.services.at("web").depends_on.front().required = false;
    EXPECT_FALSE(is_required(&w.project));
    EXPECT_TRUE(is_required(nullptr)) << "the label does not tell";
}

TEST(PlanStart, RunningContainersNeedNothing) {
    World w = two();
    EXPECT_EQ(World::lines(plan_start(w.observed, {})), "\n");
    EXPECT_THROW((void)plan_start(w.observed, {"nosuch"}), Error);
    EXPECT_THROW((void)plan_start({}, {}), Error);
}

TEST(PlanStop, StopsInReverseOrder) {
    World w = two();
    w.there("db", 2, ObservedStatus::exited);
    EXPECT_EQ(World::lines(plan_stop(w.observed, {}, std::nullopt)), R"(
StopContainer p-web-1
StopContainer p-db-1 after StopContainer p-web-1
)");
    EXPECT_EQ(World::lines(plan_stop(w.observed, {"db"}, std::nullopt)), "\nStopContainer p-db-1\n");
}

TEST(PlanRestart, RestartsInOrderAndTakesDependentsThatAskForIt) {
    World w;
    w.add("db");
    w.add("web");
    w.depend("web", "db").restart = true;
    w.add("other", {"db"});
    w.there("db");
    w.there("web");
    w.there("other");
    EXPECT_EQ(World::lines(plan_restart(w.observed, {"db"}, std::nullopt, false)), R"(
RestartContainer p-db-1
RestartContainer p-web-1 after RestartContainer p-db-1
)");
    EXPECT_EQ(World::lines(plan_restart(w.observed, {"db"}, std::nullopt, true)), "\nRestartContainer p-db-1\n");
    EXPECT_EQ(plan_restart(w.observed, {}, std::nullopt, false).nodes.size(), 3U);
}

TEST(PlanRestart, WaitsOnlyForWhatIsRestartedWithIt) {
    World w;
    w.add("job");
    w.add("db");
    w.add("web");
    w.depend("web", "job", Condition::completed);
    w.depend("web", "db", Condition::healthy);
    for (const char* name : {"job", "db", "web"}) w.there(name);
    EXPECT_EQ(World::lines(plan_restart(w.observed, {}, std::nullopt, false)), R"(
RestartContainer p-db-1
RestartContainer p-job-1
RestartContainer p-web-1 after RestartContainer p-job-1, RestartContainer p-db-1
)");
    w.observed.containers.back().depends_on.back().restart = true;
    EXPECT_NE(World::lines(plan_restart(w.observed, {}, std::nullopt, false)).find("WaitHealthy p-db-1"),
              std::string::npos);
}

TEST(DependsLabel, SurvivesTheWayThereAndBack) {
    const std::string label =
        "db:service_healthy:false,init:service_completed_successfully:true,x:service_started:false";
    EXPECT_EQ(plan::render_depends_on(plan::parse_depends_on(label)), label);
    EXPECT_TRUE(plan::parse_depends_on("").empty());
    EXPECT_EQ(plan::parse_depends_on("db,,:x").size(), 1U);
}

}  // namespace
}  // namespace compose::test
