// What providers and models said, in the services that get it.
#include "engine/provided.hpp"

#include <gmock/gmock.h>

namespace compose::engine {
namespace {

using testing::ElementsAre;
using testing::Optional;

Project project() {
    Project out;
    const auto add = [&](const char* name, std::vector<std::string> needs) -> Service& {
        Service& service = out.services[name];
        service.name = name;
        service.config_hash = std::string("hash-of-") + name;
        for (std::string& need : needs) service.depends_on.push_back({.service = std::move(need), .pos = {}});
        return service;
    };
    add("db", {});
    add("cloud", {"db"}).provider = Provider{.type = "cloud", .options = {}, .pos = {}};
    add("web", {"cloud"}).models.push_back({"llm-1", "", ""});
    add("other", {"db"}).models.push_back({"llm-1", "WHERE", "WHICH"});
    return out;
}

TEST(Provided, VariablesCountInTheHashAfterThePlus) {
    const Project from = project();
    Provided provided;
    const Service& web = from.services.at("web");
    EXPECT_EQ(provided.applied(web).config_hash, "hash-of-web");
    provided.tell("cloud", {});
    EXPECT_EQ(provided.applied(web).config_hash, "hash-of-web") << "who says nothing changes nothing";
    provided.tell("cloud", {.prefixed = {{"CLOUD_URL", "x"}}, .raw = {{"REGION", "north"}}});
    const Service one = provided.applied(web);
    EXPECT_THAT(one.environment.at("CLOUD_URL"), Optional(std::string("x")));
    EXPECT_THAT(one.environment.at("REGION"), Optional(std::string("north")));
    EXPECT_TRUE(one.config_hash.starts_with("hash-of-web+"));
    EXPECT_EQ(provided.applied(one).config_hash, one.config_hash) << "and once is enough";
    provided.tell("cloud", {.prefixed = {{"CLOUD_URL", "y"}}, .raw = {}});
    EXPECT_NE(provided.applied(web).config_hash, one.config_hash);
    EXPECT_EQ(provided.applied(from.services.at("db")).config_hash, "hash-of-db");
}

TEST(Provided, ModelsHaveTwoVariables) {
    const Project from = project();
    Provided provided;
    provided.tell_model("llm-1", {.model = "ai/x", .endpoint = "http://here"});
    const auto web = provided.applied(from.services.at("web")).environment;
    EXPECT_THAT(web.at("LLM_1_URL"), Optional(std::string("http://here")));
    EXPECT_THAT(web.at("LLM_1_MODEL"), Optional(std::string("ai/x")));
    const auto other = provided.applied(from.services.at("other")).environment;
    EXPECT_THAT(other.at("WHERE"), Optional(std::string("http://here")));
    EXPECT_THAT(other.at("WHICH"), Optional(std::string("ai/x")));
    EXPECT_EQ(other.size(), 2U);
}

TEST(Provided, ASettledProjectAsksNobodyAgainAndKeepsTheOrder) {
    const Project from = project();
    Provided provided;
    provided.tell("cloud", {.prefixed = {{"CLOUD_URL", "x"}}, .raw = {}});
    const Project settled = provided.settled(from);
    EXPECT_FALSE(settled.services.contains("cloud"));
    EXPECT_TRUE(settled.disabled_services.contains("cloud"));
    std::vector<std::string> needs;
    for (const Dependency& on : settled.services.at("web").depends_on) needs.push_back(on.service);
    EXPECT_THAT(needs, ElementsAre("db"));
    EXPECT_EQ(settled.services.at("web").models.size(), 1U) << "that one was not asked yet";
    provided.tell_model("llm-1", {.model = "ai/x", .endpoint = "e"});
    EXPECT_TRUE(provided.settled(from).services.at("web").models.empty());
}

}  // namespace
}  // namespace compose::engine
