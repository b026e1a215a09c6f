// Providers and models in plans: asked in their place, with what hangs on their variables after them.
#include "fixture.hpp"

namespace compose::test {
namespace {

Service& provide(World& w, const std::string& name, const std::vector<std::string>& needs = {}) {
    Service& service = w.add(name, needs);
    service.image.clear();
    service.networks.clear();
    service.provider = Provider{.type = "cloud", .options = {}, .pos = {}};
    return service;
}

TEST(PlanProviders, AreAskedAfterTheirDependenciesAndBeforeTheirDependents) {
    World w;
    w.there_network("default");
    w.add("db");
    w.give_healthcheck("db");
    provide(w, "cloud");
    w.depend("cloud", "db", Condition::healthy);
    w.add("web", {"cloud"});
    EXPECT_EQ(w.text(), R"(
CreateContainer p-db-1
StartContainer p-db-1 after CreateContainer p-db-1
WaitHealthy p-db-1 after StartContainer p-db-1
RunProvider cloud (its variables are unknown until then) after WaitHealthy p-db-1
CreateContainer p-web-1 after RunProvider cloud
StartContainer p-web-1 after CreateContainer p-web-1
)");
}

TEST(PlanProviders, TwoThatDoNotNeedEachOtherAreAskedSideBySide) {
    World w;
    w.there_network("default");
    provide(w, "one");
    provide(w, "two");
    provide(w, "three", {"one"});
    w.add("web", {"two", "three"});
    EXPECT_EQ(w.text(), R"(
RunProvider one (its variables are unknown until then)
RunProvider three (its variables are unknown until then) after RunProvider one
RunProvider two (its variables are unknown until then)
CreateContainer p-web-1 after RunProvider two, RunProvider three
StartContainer p-web-1 after CreateContainer p-web-1
)");
}

TEST(PlanProviders, WhatIsThereIsComparedWhenTheyHaveAnswered) {
    World w;
    w.there_network("default");
    provide(w, "cloud");
    w.add("web", {"cloud"});
    w.there("web").config_hash = "h1+0123";
    const std::string asked = "\nRunProvider cloud (its variables are unknown until then)\n";
    EXPECT_EQ(w.text(), asked + "CheckVariables p-web-1 after RunProvider cloud\n");
    w.observed.containers[0].status = ObservedStatus::exited;
    w.observed.containers[0].exit_code = 1;
    EXPECT_EQ(w.text(), asked +
                            "CheckVariables p-web-1 after RunProvider cloud\n"
                            "StartContainer p-web-1 after CheckVariables p-web-1\n");
    // Once they are known, the hash says all.
    w.observed.asked_providers = {"cloud"};
    w.project.services["web"].config_hash = "h1+0123";
    EXPECT_EQ(w.text(), "\nStartContainer p-web-1\n");
    w.project.services["web"].config_hash = "h1+4567";
    EXPECT_NE(w.text().find("CreateContainer p-web-1 [config changed]"), std::string::npos);
}

// Its successor is made when the new db runs, and that one starts when the old web has stopped.
TEST(PlanProviders, WhoWaitsForContainersByThemIsStoppedBeforeHisSuccessorIsMade) {
    World w;
    w.there_network("default");
    w.add("db");
    provide(w, "cloud", {"db"});
    w.add("web", {"cloud", "db"});
    w.there("db").config_hash = "old";
    w.there("web").config_hash = "old";
    const Plan plan = w.plan();
    EXPECT_EQ(to_text(plan).size(), plan.nodes.size());
    const std::string text = w.text();
    EXPECT_NE(text.find("StopContainer p-db-1 after CreateContainer p-db-1, StopContainer p-web-1\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("CreateContainer p-web-1 [config changed] after RemoveContainer p-web-1, RunProvider cloud\n"),
              std::string::npos)
        << text;
}

TEST(PlanProviders, ModelsComeBeforeTheServicesThatUseThem) {
    World w;
    w.there_network("default");
    w.project.models["llm"] =
        Model{.key = "llm", .name = {}, .model = "ai/x", .context_size = {}, .runtime_flags = {}, .pos = {}};
    w.add("web").models.push_back({"llm", {}, {}});
    w.add("other");
    w.there("other");
    EXPECT_EQ(w.text(), R"(
PrepareModel llm (its variables are unknown until then)
CreateContainer p-web-1 after PrepareModel llm
StartContainer p-web-1 after CreateContainer p-web-1
)");
}

TEST(PlanProviders, EndInTheReverseOrder) {
    World w;
    w.there_network("default");
    w.add("db");
    provide(w, "cloud", {"db"});
    w.add("web", {"cloud"});
    w.there("db").depends_on.clear();
    w.there("web").depends_on.clear();
    EXPECT_EQ(World::lines(plan_stop(w.observed, {}, std::nullopt, &w.project)), R"(
StopContainer p-web-1
StopProvider cloud after StopContainer p-web-1
StopContainer p-db-1 after StopProvider cloud
)");
    EXPECT_EQ(World::lines(plan_down(&w.project, w.observed, {})), R"(
StopContainer p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
RemoveProvider cloud after RemoveContainer p-web-1
StopContainer p-db-1 after RemoveProvider cloud
RemoveContainer p-db-1 after StopContainer p-db-1
RemoveNetwork p_default after RemoveContainer p-db-1, RemoveContainer p-web-1
)");
}

}  // namespace
}  // namespace compose::test
