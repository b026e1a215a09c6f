// Convergence: what up does, as text.
#include "fixture.hpp"

namespace compose::test {
namespace {

using Lines = std::vector<std::string>;

TEST(PlanUp, MakesEverythingOfAFreshProjectInDependencyOrder) {
    World w;
    w.add("db");
    w.add("web", {"db"});
    w.add_volume("data");
    Mount mount;
    mount.source = "data";
    mount.target = "/data";
    w.project.services["db"].mounts.push_back(mount);
    EXPECT_EQ(w.text(), R"(
CreateNetwork p_default
CreateVolume p_data
CreateContainer p-db-1 after CreateNetwork p_default, CreateVolume p_data
StartContainer p-db-1 after CreateContainer p-db-1
CreateContainer p-web-1 after CreateNetwork p_default
StartContainer p-web-1 after CreateContainer p-web-1, StartContainer p-db-1
)");
}

TEST(PlanUp, DoesNothingWhenAllIsAsItShouldBe) {
    World w;
    w.add("db");
    w.add("web", {"db"});
    w.there_network("default");
    w.there("db");
    w.there("web");
    EXPECT_EQ(w.text(), "\n");
    EXPECT_EQ(w.notes(w.plan()), (Lines{"Container p-db-1: Running", "Container p-web-1: Running"}));
}

TEST(PlanUp, ReplacesOnlyTheServiceWhoseConfigChanged) {
    World w;
    w.add("db");
    w.add("web", {"db"}).config_hash = "h2";
    w.there_network("default");
    w.there("db");
    w.there("web");
    EXPECT_EQ(w.text(), R"(
CreateContainer p-web-1 [config changed] as 000000000002_p-web-1
StopContainer p-web-1 after CreateContainer p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
RenameContainer p-web-1 from 000000000002_p-web-1 after RemoveContainer p-web-1
StartContainer p-web-1 after RenameContainer p-web-1
)");
}

TEST(PlanUp, ReplacesWhenTheImageHasAnotherId) {
    World w;
    w.add("web");
    w.there_network("default");
    w.there("web", 1, ObservedStatus::exited);
    w.observed.images["img"].id = "sha256:2";
    EXPECT_EQ(w.text(), R"(
CreateContainer p-web-1 [image changed] as 000000000001_p-web-1
RemoveContainer p-web-1 after CreateContainer p-web-1
RenameContainer p-web-1 from 000000000001_p-web-1 after RemoveContainer p-web-1
StartContainer p-web-1 after RenameContainer p-web-1
)");
}

TEST(PlanUp, NoRecreateKeepsWhatDiffers) {
    World w;
    w.add("web").config_hash = "h2";
    w.there_network("default").config_hash = "old";
    w.there("web");
    w.options.no_recreate = true;
    EXPECT_EQ(w.text(), "\n");
}

TEST(PlanUp, ForceRecreateLeavesDependenciesOfTheNamedServiceAlone) {
    World w;
    w.add("db");
    w.add("web", {"db"});
    w.there_network("default");
    w.there("db");
    w.there("web");
    w.options.services = {"web"};
    w.options.force_recreate = true;
    const std::string forced_web = w.text();
    EXPECT_NE(forced_web.find("CreateContainer p-web-1 [forced]"), std::string::npos);
    EXPECT_EQ(forced_web.find("p-db-1"), std::string::npos);
    w.options.always_recreate_deps = true;
    EXPECT_NE(w.text().find("CreateContainer p-db-1 [forced]"), std::string::npos);
}

TEST(PlanUp, OldDependentsStopBeforeOldDependencies) {
    World w;
    w.add("db").config_hash = "h2";
    w.add("web", {"db"}).config_hash = "h2";
    w.there_network("default");
    w.there("db");
    w.there("web");
    EXPECT_EQ(w.text(), R"(
CreateContainer p-db-1 [config changed] as 000000000001_p-db-1
CreateContainer p-web-1 [config changed] as 000000000002_p-web-1
StopContainer p-web-1 after CreateContainer p-web-1
StopContainer p-db-1 after CreateContainer p-db-1, StopContainer p-web-1
RemoveContainer p-db-1 after StopContainer p-db-1
RenameContainer p-db-1 from 000000000001_p-db-1 after RemoveContainer p-db-1
StartContainer p-db-1 after RenameContainer p-db-1
RemoveContainer p-web-1 after StopContainer p-web-1
RenameContainer p-web-1 from 000000000002_p-web-1 after RemoveContainer p-web-1
StartContainer p-web-1 after RenameContainer p-web-1, StartContainer p-db-1
)");
}

TEST(PlanUp, ADependentThatAsksForItIsStoppedAroundAReplacement) {
    World w;
    w.add("db").config_hash = "h2";
    w.add("web");
    w.depend("web", "db").restart = true;
    w.there_network("default");
    w.there("db");
    w.there("web");
    const std::string text = w.text();
    EXPECT_NE(text.find("StopContainer p-web-1 [dependency db replaced]\n"), std::string::npos) << text;
    EXPECT_NE(text.find("StopContainer p-db-1 after CreateContainer p-db-1, StopContainer p-web-1\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("StartContainer p-web-1 [dependency db replaced] after StopContainer p-web-1, "
                        "StartContainer p-db-1\n"),
              std::string::npos)
        << text;
}

TEST(PlanUp, WaitsForConditionsBeforeStarting) {
    World w;
    w.add("db");
    w.give_healthcheck("db");
    w.add("init");
    w.add("web");
    w.depend("web", "db", Condition::healthy);
    w.depend("web", "init", Condition::completed).required = false;
    EXPECT_EQ(w.text(), R"(
CreateNetwork p_default
CreateContainer p-db-1 after CreateNetwork p_default
StartContainer p-db-1 after CreateContainer p-db-1
CreateContainer p-init-1 after CreateNetwork p_default
StartContainer p-init-1 after CreateContainer p-init-1
CreateContainer p-web-1 after CreateNetwork p_default
WaitHealthy p-db-1 after StartContainer p-db-1
WaitCompleted p-init-1 (optional) after StartContainer p-init-1
StartContainer p-web-1 after CreateContainer p-web-1, WaitHealthy p-db-1, WaitCompleted p-init-1
)");
}

TEST(PlanUp, AHealthyDependencyNeedsNoWaitAndAnUnhealthyOneDoes) {
    World w;
    w.add("db");
    w.give_healthcheck("db");
    w.add("web");
    w.depend("web", "db", Condition::healthy);
    w.there_network("default");
    w.there("db").health = ObservedHealth::healthy;
    w.there("web");
    EXPECT_EQ(w.text(), "\n");
    w.observed.containers[0].health = ObservedHealth::starting;
    EXPECT_EQ(w.text(), "\nWaitHealthy p-db-1\n");
}

TEST(PlanUp, StartsExitedContainersAgain) {
    World w;
    w.add("job");
    w.there_network("default");
    w.there("job", 1, ObservedStatus::exited).exit_code = 1;
    EXPECT_EQ(w.text(), "\nStartContainer p-job-1\n");
    w.options.start = false;
    EXPECT_EQ(w.text(), "\n");
}

TEST(PlanUp, WaitsForEveryContainerWhenAsked) {
    World w;
    w.add("web");
    w.options.wait = true;
    EXPECT_EQ(w.text(), R"(
CreateNetwork p_default
CreateContainer p-web-1 after CreateNetwork p_default
StartContainer p-web-1 after CreateContainer p-web-1
WaitReady p-web-1 after StartContainer p-web-1
)");
    w.there_network("default");
    w.there("web");
    EXPECT_EQ(w.text(), "\n");
}

TEST(PlanUp, AskingForAllDoesNotWaitTwiceForADependency) {
    World w;
    w.add("db");
    w.give_healthcheck("db");
    w.add("web");
    w.depend("web", "db", Condition::healthy);
    w.there_network("default");
    w.options.wait = true;
    const std::string text = w.text();
    EXPECT_NE(text.find("WaitHealthy p-db-1 after"), std::string::npos) << text;
    EXPECT_EQ(text.find("WaitReady p-db-1"), std::string::npos) << text;
    EXPECT_NE(text.find("WaitReady p-web-1 after"), std::string::npos) << text;
}

TEST(PlanUp, ScalesUpWithTheNextNumber) {
    World w;
    w.add("web").scale = 3;
    w.there_network("default");
    w.there("web", 2);
    EXPECT_EQ(w.text(), R"(
CreateContainer p-web-3
StartContainer p-web-3 after CreateContainer p-web-3
CreateContainer p-web-4
StartContainer p-web-4 after CreateContainer p-web-4
)");
}

TEST(PlanUp, ScalesDownObsoleteContainersFirstThenTheHighestNumbers) {
    World w;
    w.add("web").scale = 4;
    w.there_network("default");
    w.there("web", 1).config_hash = "old";
    w.there("web", 2);
    w.there("web", 3);
    w.there("web", 4);
    w.options.scale["web"] = 2;
    EXPECT_EQ(w.text(), R"(
StopContainer p-web-1 [scaled down]
RemoveContainer p-web-1 [scaled down] after StopContainer p-web-1
StopContainer p-web-4 [scaled down]
RemoveContainer p-web-4 [scaled down] after StopContainer p-web-4
)");
}

TEST(PlanUp, AContainerNameAllowsOneReplicaOnly) {
    World w;
    w.add("web").container_name = "site";
    EXPECT_NE(w.text().find("CreateContainer site after"), std::string::npos);
    w.options.scale["web"] = 2;
    EXPECT_EQ(w.findings()[0], "services.web.container_name: \"site\" can name only one container, but 2 are wanted");
}

TEST(PlanUp, TakesDependenciesOfNamedServicesAlong) {
    World w;
    w.add("db");
    w.add("web", {"db"});
    w.add("other");
    w.options.services = {"web"};
    const std::string text = w.text();
    EXPECT_NE(text.find("p-db-1"), std::string::npos);
    EXPECT_EQ(text.find("p-other-1"), std::string::npos);
    w.options.no_deps = true;
    EXPECT_EQ(w.text().find("p-db-1"), std::string::npos);
    w.options.services = {"nosuch"};
    EXPECT_THROW((void)w.plan(), Error);
}

TEST(PlanUp, WarnsOfOrphansOrRemovesThem) {
    World w;
    w.add("web");
    w.there_network("default");
    w.there("web");
    w.there("old");
    w.there("older", 1, ObservedStatus::exited);
    EXPECT_EQ(w.text(), "\n");
    EXPECT_EQ(w.notes(w.plan())[0],
              "Warning: Found orphan containers ([p-old-1 p-older-1]) for this project. If you removed or renamed this "
              "service in your compose file, you can run this command with the --remove-orphans flag to clean it up.");
    w.options.ignore_orphans = true;
    EXPECT_EQ(w.notes(w.plan()), (Lines{"Container p-web-1: Running"}));
    w.options.ignore_orphans = false;
    w.options.remove_orphans = true;
    EXPECT_EQ(w.text(), R"(
StopContainer p-old-1 [orphan]
RemoveContainer p-old-1 [orphan] after StopContainer p-old-1
RemoveContainer p-older-1 [orphan]
)");
}

TEST(PlanUp, ADisabledServiceIsNoOrphan) {
    World w;
    w.add("web");
    w.project.disabled_services["debug"].name = "debug";
    w.there_network("default");
    w.there("web");
    w.there("debug");
    EXPECT_EQ(w.notes(w.plan()), (Lines{"Container p-web-1: Running"}));
}

TEST(PlanUp, RefusesToChangeANetworkThatAnotherProjectUses) {
    World w;
    w.add("web");
    ObservedNetwork& network = w.there_network("default");
    network.config_hash = "old";
    network.foreign = {"q-x-1"};
    EXPECT_EQ(w.findings(),
              (Lines{"networks.default: the network changed and must be made anew, but container q-x-1 of "
                     "another project uses it"}));
}

TEST(PlanUp, RepairsABridgeThatIsMissingAfterAReboot) {
    World w;
    w.add("web");
    w.there_network("default").ready = false;
    w.there("web", 1, ObservedStatus::exited).exit_code = 255;
    const std::string text = w.text();
    EXPECT_NE(text.find("CreateNetwork p_default [its bridge is missing]\n"), std::string::npos) << text;
    EXPECT_NE(text.find("StartContainer p-web-1 after CreateNetwork p_default\n"), std::string::npos) << text;
}

TEST(PlanUp, ExternalNetworksAndVolumesMustBeThere) {
    World w;
    w.project.networks["default"].external = true;
    w.add_volume("data").external = true;
    w.add("web");
    Mount mount;
    mount.source = "data";
    mount.target = "/data";
    w.project.services["web"].mounts.push_back(mount);
    EXPECT_EQ(w.findings(), (Lines{"networks.default: network p_default declared as external, but could not be found",
                                   "volumes.data: external volume \"p_data\" not found"}));
    w.there_network("default").project = "other";
    w.there_volume("data").project = "other";
    EXPECT_EQ(w.text(), "\nCreateContainer p-web-1\nStartContainer p-web-1 after CreateContainer p-web-1\n");
}

TEST(PlanUp, MakesWhatNoServiceUsesOnlyWhenAsked) {
    World w;
    w.add("web");
    w.add_volume("unused");
    w.options.start = false;
    EXPECT_EQ(w.text().find("p_unused"), std::string::npos);
    w.options.all_resources = true;
    EXPECT_NE(w.text().find("CreateVolume p_unused"), std::string::npos) << w.text();
}

TEST(PlanUp, KeepsAVolumeWhoseDefinitionChanged) {
    World w;
    w.add("web");
    w.add_volume("data");
    Mount mount;
    mount.source = "data";
    mount.target = "/data";
    w.project.services["web"].mounts.push_back(mount);
    w.there_network("default");
    w.there_volume("data").config_hash = "old";
    w.there("web").volumes = {"p_data"};
    EXPECT_EQ(w.text(), "\n");
    EXPECT_NE(w.notes(w.plan())[0].find("the definition of volume \"p_data\" changed"), std::string::npos);
}

TEST(PlanUp, AnonymousVolumesGoToTheReplacement) {
    World w;
    w.add("web").config_hash = "h2";
    w.there_network("default");
    w.there("web").anonymous_volumes = {{"/cache", "abc"}};
    const auto inherited = [&] {
        const Plan plan = w.plan();
        return std::get<CreateContainer>(plan.nodes[0].action).inherited_volumes;
    };
    EXPECT_EQ(inherited(), (std::map<std::string, std::string>{{"/cache", "abc"}}));
    w.options.renew_anon_volumes = true;
    EXPECT_TRUE(inherited().empty());
    EXPECT_NE(w.text().find("RemoveContainer p-web-1 with volumes"), std::string::npos);
}

TEST(PlanUp, AFixedAddressIsFreedBeforeTheReplacementIsMade) {
    World w;
    w.add("web").config_hash = "h2";
    w.there_network("default");
    w.there("web");
    NetworkAttachment& attachment = w.project.services["web"].networks[0];
    const auto expect_freed = [&] {
        EXPECT_EQ(w.text(), R"(
StopContainer p-web-1
RemoveContainer p-web-1 after StopContainer p-web-1
CreateContainer p-web-1 [config changed] after RemoveContainer p-web-1
StartContainer p-web-1 after CreateContainer p-web-1
)");
    };
    attachment.ipv4_address = "10.1.0.9";
    expect_freed();
    attachment.ipv4_address.clear();
    attachment.ipv6_address = "fd00::9";
    expect_freed();
}

TEST(PlanUp, FinishesAnInterruptedReplacement) {
    World w;
    w.add("web");
    w.there_network("default");
    w.there("web", 1, ObservedStatus::created).name = "0000000000aa_p-web-1";
    EXPECT_EQ(w.text(), R"(
RenameContainer p-web-1 [left by an interrupted replacement] from 0000000000aa_p-web-1
StartContainer p-web-1 after RenameContainer p-web-1
)");
    w.there("web");  // the old one is still there
    EXPECT_EQ(w.text(), "\nRemoveContainer 0000000000aa_p-web-1 [left by an interrupted replacement]\n");
}

TEST(PlanUp, ReplacesAContainerWhoseCreationWasInterrupted) {
    World w;
    w.add("web");
    w.there_network("default");
    w.there("web", 1, ObservedStatus::created).complete = false;
    w.options.no_recreate = true;
    EXPECT_EQ(w.text(), R"(
RemoveContainer p-web-1
CreateContainer p-web-1 [its creation was interrupted] after RemoveContainer p-web-1
StartContainer p-web-1 after CreateContainer p-web-1
)");
}

TEST(PlanUp, NamesEveryMissingImage) {
    World w;
    w.add("a").image = "debian:12";
    w.add("b").image = "postgres";
    w.project.services["b"].image_pos = {1, 7, 12};
    EXPECT_EQ(w.findings(), (Lines{"services.a.image: image \"debian:12\" is not here, and fetching it was ruled out",
                                   "services.b.image: image \"postgres\" is not here, and fetching it was ruled out"}));
    try {
        (void)w.plan();
    } catch (const ProjectError& error) {
        EXPECT_EQ(error.findings()[1].pos, (SourcePos{1, 7, 12}));
        EXPECT_EQ(error.kind(), ErrorKind::not_found);
    }
}

TEST(PlanUp, AMissingImageDoesNotMatterWhileNothingIsMadeFromIt) {
    World w;
    w.add("web");
    w.there_network("default");
    w.there("web");
    w.observed.images.clear();
    EXPECT_EQ(w.text(), "\n");
}

TEST(PlanUp, ACommandMustComeFromSomewhere) {
    World w;
    w.add("web");
    w.observed.images["img"] = {"sha256:1", false, false, false};
    EXPECT_EQ(w.findings(), (Lines{"services.web: no command specified"}));
    w.project.services["web"].command = std::vector<std::string>{"sleep", "1"};
    EXPECT_TRUE(w.findings().empty());
    w.observed.images["img"].has_command = true;
    w.project.services["web"].command.reset();
    w.project.services["web"].entrypoint = std::vector<std::string>{};  // clears both
    EXPECT_EQ(w.findings().size(), 1U);
}

TEST(PlanUp, AHealthConditionNeedsAHealthCheck) {
    World w;
    w.add("db");
    w.add("web");
    w.depend("web", "db", Condition::healthy);
    EXPECT_EQ(w.findings(), (Lines{"services.web.depends_on.db: service \"db\" has no healthcheck configured"}));
    w.observed.images["img"].has_healthcheck = true;
    EXPECT_TRUE(w.findings().empty());
}

TEST(PlanUp, ATakenPortIsAnErrorThatNamesItsHolder) {
    World w;
    Service& web = w.add("web");
    Port port;
    port.published = true;
    port.published_first = port.published_last = 8080;
    port.target = 80;
    web.ports.push_back(port);
    w.observed.ports.push_back({"x", "q-web-1", "q", "tcp", "127.0.0.1", 8080});
    EXPECT_EQ(w.findings(),
              (Lines{"services.web.ports[0]: host port 8080/tcp for container p-web-1 is taken by container "
                     "q-web-1 of project \"q\""}));
    w.project.services["web"].ports[0].host_ip = "127.0.0.2";
    EXPECT_TRUE(w.findings().empty());
    w.observed.ports.clear();
    w.options.scale["web"] = 2;
    EXPECT_EQ(w.findings(), (Lines{"services.web.ports[0]: host port 127.0.0.2:8080/tcp for container p-web-2 is taken "
                                   "by container p-web-1"}));
    w.project.services["web"].ports[0].published_last = 8081;
    EXPECT_TRUE(w.findings().empty());
}

TEST(PlanUp, PortsOfTheTwoFamiliesExcludeEachOtherOnlyWhereBothAreMeant) {
    World w;
    Service& web = w.add("web");
    Port port;
    port.published = true;
    port.published_first = port.published_last = 8080;
    port.target = 80;
    web.ports.push_back(port);
    const auto is_free = [&](const std::string& held, const std::string& wanted) {
        w.observed.ports = {{"x", "q-web-1", "q", "tcp", held, 8080}};
        w.project.services["web"].ports[0].host_ip = wanted;
        return w.findings().empty();
    };
    EXPECT_TRUE(is_free("0.0.0.0", "::"));
    EXPECT_TRUE(is_free("::", "127.0.0.1"));
    EXPECT_TRUE(is_free("::1", "fd00::1"));
    EXPECT_FALSE(is_free("::", "::1"));
    EXPECT_FALSE(is_free("::1", "::"));
    EXPECT_FALSE(is_free("::1", ""));
    EXPECT_FALSE(is_free("::1", "[0:0::1]"));
    EXPECT_FALSE(is_free("fd00::1", "FD00:0::1"));
    EXPECT_FALSE(is_free("", "::"));
    EXPECT_FALSE(is_free("", "0.0.0.0"));
    (void)is_free("::", "::1");
    EXPECT_EQ(w.findings(), (Lines{"services.web.ports[0]: host port [::1]:8080/tcp for container p-web-1 is taken by "
                                   "container q-web-1 of project \"q\""}));
}

TEST(PlanUp, APortMayMoveToAnotherServiceInOnePlan) {
    World w;
    Service& a = w.add("a");
    a.config_hash = "h2";
    Port port;
    port.published = true;
    port.published_first = port.published_last = 8080;
    w.add("b").ports.push_back(port);
    w.there_network("default");
    w.there("a");
    w.observed.ports.push_back({w.observed.containers[0].id, "p-a-1", "p", "tcp", "", 8080});
    const std::string text = w.text();
    EXPECT_NE(text.find("StartContainer p-b-1 after CreateContainer p-b-1, StopContainer p-a-1\n"), std::string::npos)
        << text;
}

TEST(PlanUp, ContainerNamesOfOtherProjectsAreRespected) {
    World w;
    w.add("web").container_name = "site";
    w.observed.foreign_names["site"] = "q";
    EXPECT_EQ(w.findings(), (Lines{"services.web.container_name: container name \"site\" is already in use by project "
                                   "\"q\""}));
}

TEST(PlanUp, AHundredServicesArePlannedWithoutDuplicateEdges) {
    World w;
    for (int i = 0; i < 100; ++i) w.add("s" + std::to_string(i), i == 0 ? Lines{} : Lines{"s" + std::to_string(i - 1)});
    const Plan plan = w.plan();
    EXPECT_EQ(plan.nodes.size(), 201U);
    EXPECT_EQ(to_text(plan).size(), 201U);
    for (const Plan::Node& node : plan.nodes) EXPECT_LE(node.after.size(), 2U);
}

}  // namespace
}  // namespace compose::test
