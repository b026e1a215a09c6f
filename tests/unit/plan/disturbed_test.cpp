// Who stops for a while because of others: on networks that are made anew, in namespaces that end.
#include <gmock/gmock.h>

#include "fixture.hpp"

namespace compose::test {
namespace {

using Lines = std::vector<std::string>;
using testing::HasSubstr;
using testing::Not;

/// db and web on a network whose definition is another one by now.
World on_a_changed_network() {
    World w;
    w.add("db");
    w.add("web", {"db"});
    w.there_network("default").config_hash = "old";
    w.there("db");
    w.there("web");
    return w;
}

TEST(PlanDisturbed, AChangedNetworkIsMadeAnewUnderItsContainers) {
    World w = on_a_changed_network();
    EXPECT_EQ(w.text(), R"(
StopContainer p-web-1 [network p_default changed]
StopContainer p-db-1 [network p_default changed] after StopContainer p-web-1
RecreateNetwork p_default [config changed] after StopContainer p-db-1, StopContainer p-web-1
StartContainer p-db-1 [network p_default changed] after StopContainer p-db-1, RecreateNetwork p_default
StartContainer p-web-1 [network p_default changed] after StopContainer p-web-1, RecreateNetwork p_default, StartContainer p-db-1
)");
    w.options.start = false;
    EXPECT_EQ(w.text(), R"(
StopContainer p-web-1 [network p_default changed]
StopContainer p-db-1 [network p_default changed] after StopContainer p-web-1
RecreateNetwork p_default [config changed] after StopContainer p-db-1, StopContainer p-web-1
)");
    w.options.no_recreate = true;
    EXPECT_EQ(w.text(), "\n");
}

TEST(PlanDisturbed, WhoseOwnDefinitionChangedTooIsReplaced) {
    World w = on_a_changed_network();
    w.project.services["web"].config_hash = "h2";
    EXPECT_EQ(w.text(), R"(
StopContainer p-web-1
StopContainer p-db-1 [network p_default changed] after StopContainer p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
RecreateNetwork p_default [config changed] after StopContainer p-db-1, RemoveContainer p-web-1
StartContainer p-db-1 [network p_default changed] after StopContainer p-db-1, RecreateNetwork p_default
CreateContainer p-web-1 [config changed] after RecreateNetwork p_default, RemoveContainer p-web-1
StartContainer p-web-1 after CreateContainer p-web-1, StartContainer p-db-1
)");
}

TEST(PlanDisturbed, WhoDoesNotRunOnlyGetsItsPlace) {
    World w = on_a_changed_network();
    w.observed.containers[1].status = ObservedStatus::exited;  // and has done its work
    EXPECT_EQ(w.text(), R"(
StopContainer p-db-1 [network p_default changed]
RecreateNetwork p_default [config changed] after StopContainer p-db-1
StartContainer p-db-1 [network p_default changed] after StopContainer p-db-1, RecreateNetwork p_default
)");
    w.observed.containers[1].stopped_by_user = true;
    EXPECT_THAT(w.text(), HasSubstr("StartContainer p-web-1 after RecreateNetwork p_default, StartContainer p-db-1\n"));
}

TEST(PlanDisturbed, WhoIsNotAskedForStaysWhatItIs) {
    World w = on_a_changed_network();
    w.options.services = {"db"};
    w.project.services["web"].config_hash = "h2";
    w.there("gone");
    const std::string text = w.text();
    EXPECT_THAT(text, Not(HasSubstr("CreateContainer")));
    for (const char* name : {"p-web-1", "p-gone-1"})
        EXPECT_THAT(text, HasSubstr("StartContainer " + std::string(name) + " [network p_default changed] after "));
    EXPECT_THAT(text, HasSubstr("StopContainer p-db-1 [network p_default changed] after StopContainer p-web-1\n"));
    // They start again even where what was asked for is only made.
    w.options.start = false;
    EXPECT_THAT(w.text(), HasSubstr("StartContainer p-gone-1"));
    EXPECT_THAT(w.text(), Not(HasSubstr("StartContainer p-db-1")));
    w.observed.containers.back().oneoff = true;
    EXPECT_EQ(w.findings(), (Lines{": network p_default changed and must be made anew, but the one-off container "
                                   "p-gone-1 uses it"}));
    w.observed.containers.back().status = ObservedStatus::exited;
    EXPECT_TRUE(w.findings().empty());
}

TEST(PlanDisturbed, OnlyLabelsStopNobody) {
    World w = on_a_changed_network();
    w.project.networks["default"].definition = R"({"labels":{"a":"2"},"name":"p_default"})";
    w.observed.networks["p_default"].definition = R"({"name":"p_default","labels":{"a":"1"}})";
    w.observed.networks["p_default"].foreign = {"q-x-1"};
    EXPECT_EQ(w.text(), "\nUpdateNetwork p_default [labels changed]\n");
    w.observed.networks["p_default"].foreign.clear();
    w.project.networks["default"].definition = R"({"internal":true,"name":"p_default"})";
    EXPECT_THAT(w.text(), HasSubstr("RecreateNetwork"));
}

/// `side` is in the network of db.
World with_a_shared_namespace() {
    World w;
    w.add("db");
    Service& side = w.add("side");
    side.networks.clear();
    side.network_mode = "service:db";
    w.depend("side", "db").restart = true;
    w.there_network("default");
    w.there("db");
    w.there("side").networks.clear();
    return w;
}

TEST(PlanDisturbed, WhoSharesANamespaceIsReplacedWithItsOwner) {
    World w = with_a_shared_namespace();
    EXPECT_EQ(w.text(), "\n");
    w.project.services["db"].config_hash = "h2";
    EXPECT_EQ(w.text(), R"(
CreateContainer p-db-1 [config changed] as 000000000001_p-db-1
CreateContainer p-side-1 [namespace of db replaced] as 000000000002_p-side-1 after CreateContainer p-db-1
StopContainer p-side-1 after CreateContainer p-side-1
StopContainer p-db-1 after CreateContainer p-db-1, StopContainer p-side-1
RemoveContainer p-db-1 after StopContainer p-db-1
RenameContainer p-db-1 from 000000000001_p-db-1 after RemoveContainer p-db-1
StartContainer p-db-1 after RenameContainer p-db-1
RemoveContainer p-side-1 after StopContainer p-side-1
RenameContainer p-side-1 from 000000000002_p-side-1 after RemoveContainer p-side-1
StartContainer p-side-1 after RenameContainer p-side-1, RenameContainer p-db-1, StartContainer p-db-1
)");
    // Not before it is there, where it can't be made beside the old one.
    w.project.services["db"].networks[0].ipv4_address = "10.0.0.2";
    EXPECT_THAT(w.text(), HasSubstr("CreateContainer p-side-1 [namespace of db replaced] after "));
}

TEST(PlanDisturbed, WhoSharesANamespaceWaitsForTheNameOfItsOwner) {
    World w = with_a_shared_namespace();
    w.project.services["db"].config_hash = "h2";
    Deploy::Update update;
    update.order = "start-first";
    update.failure_action = "rollback";
    w.project.services["db"].deploy.update = update;
    EXPECT_THAT(w.text(), testing::ContainsRegex("StartContainer p-side-1 after [^\n]*RenameContainer p-db-1"));
    w.options.no_recreate = true;
    w.observed.containers[0].status = ObservedStatus::dead;
    EXPECT_THAT(w.text(), testing::ContainsRegex("StartContainer p-side-1 .namespace of db renewed. after [^\n]*"
                                                 "RenameContainer p-db-1"));
}

TEST(PlanDisturbed, WhoSharesANamespaceFollowsItsOwner) {
    World w = with_a_shared_namespace();
    w.observed.containers[0].status = ObservedStatus::exited;
    w.observed.containers[0].exit_code = 1;
    const std::string followed = R"(
StopContainer p-side-1 [namespace of db renewed]
StartContainer p-db-1
StartContainer p-side-1 [namespace of db renewed] after StopContainer p-side-1, StartContainer p-db-1
)";
    const auto sorted = [](const std::string& text) {
        auto lines = split(text, '\n');
        std::sort(lines.begin(), lines.end());
        return lines;
    };
    EXPECT_EQ(sorted(w.text()), sorted(followed));
    w.options.services = {"db"};
    EXPECT_EQ(sorted(w.text()), sorted(followed));
    // A new one under --no-recreate, and one made by an `up` that did not start it.
    w.options.services.clear();
    w.options.no_recreate = true;
    w.observed.containers[0].status = ObservedStatus::created;
    EXPECT_EQ(sorted(w.text()), sorted(followed));
    w.observed.containers.erase(w.observed.containers.begin());
    EXPECT_THAT(w.text(), HasSubstr("StartContainer p-side-1 [namespace of db renewed]"));
}

TEST(PlanDisturbed, ADependentIsStoppedInThePlanThatStopsItsDependency) {
    World w = on_a_changed_network();
    w.add_network("other");
    w.there_network("other");
    w.add("app").networks[0].network = "other";
    w.depend("app", "db").restart = true;
    w.there("app").networks = {"p_other"};
    EXPECT_THAT(w.text(), HasSubstr("StopContainer p-app-1 [dependency db restarted]\n"));
    EXPECT_THAT(w.text(), HasSubstr("StartContainer p-app-1 [dependency db restarted] after StopContainer p-app-1, "
                                    "StartContainer p-db-1\n"));
    w.options.start = false;
    EXPECT_THAT(w.text(), HasSubstr("StopContainer p-app-1 [dependency db restarted]\n"));
    // Where a replacement is only made, its dependents go on until it starts.
    w.observed.networks["p_default"].config_hash = "n1";
    w.project.services["db"].config_hash = "h2";
    EXPECT_THAT(w.text(), Not(HasSubstr("p-app-1")));
    w.options.start = true;
    w.observed.containers[0].config_hash = "h2";
    w.observed.containers[0].status = ObservedStatus::created;
    EXPECT_THAT(w.text(), HasSubstr("StopContainer p-app-1 [dependency db replaced]\n"));
}

}  // namespace
}  // namespace compose::test
