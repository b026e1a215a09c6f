#include <compose/config.hpp>
#include <compose/error.hpp>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/names.hpp"
#include "model/node.hpp"

namespace compose {
namespace {

using testing::ElementsAre;

LoadedProject with_texts(std::initializer_list<const char*> texts) {
    auto tree = std::make_shared<ConfigTree>();
    tree->root = Node::make_sequence({});
    for (const char* text : texts) tree->root.items.push_back(Node::make_string(text, {}));
    LoadedProject out;
    out.tree = std::move(tree);
    return out;
}

LoadedProject two_services() {
    auto tree = std::make_shared<ConfigTree>();
    tree->root = Node::make_mapping({});
    Node web = Node::make_mapping({});
    web.entries.push_back({"image", {}, Node::make_string("web:1", {})});
    Node api = Node::make_mapping({});
    api.entries.push_back({"build", {}, Node::make_mapping({})});
    Node services = Node::make_mapping({});
    services.entries.push_back({"web", {}, std::move(web)});
    services.entries.push_back({"api", {}, std::move(api)});
    tree->root.entries.push_back({"services", {}, std::move(services)});
    LoadedProject out;
    out.tree = std::move(tree);
    out.project.name = "p";
    out.environment = {{"B", "2"}, {"A", "1"}};
    Service off;
    off.profiles = {"zeta", "alpha"};
    out.project.disabled_services["off"] = off;
    return out;
}

TEST(Config, ListsInOrder) {
    const auto loaded = two_services();
    EXPECT_THAT(config_services(loaded), ElementsAre("api", "web"));
    EXPECT_THAT(config_images(loaded), ElementsAre("p-api", "web:1"));
    EXPECT_THAT(config_profiles(loaded), ElementsAre("alpha", "zeta"));
    EXPECT_THAT(config_environment(loaded), ElementsAre("A=1", "B=2"));
    EXPECT_TRUE(config_volumes(loaded).empty());
}

TEST(Config, HashesAllOrSomeServices) {
    const auto loaded = two_services();
    const auto all = config_hashes(loaded, "*");
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].first, "api");
    EXPECT_EQ(config_hashes(loaded, "web"), std::vector(1, all[1]));
    EXPECT_THROW((void)config_hashes(loaded, "web,ghost"), Error);
}

TEST(Config, ReplacesImagesAndPrintsThemAlone) {
    const auto loaded = two_services();
    const auto pinned = with_images(loaded, {{"web", "web:1@sha256:0"}, {"ghost", "x"}});
    EXPECT_THAT(config_images(pinned), ElementsAre("p-api", "web:1@sha256:0"));
    EXPECT_THAT(config_images(loaded), ElementsAre("p-api", "web:1")) << "the first is as it was";
    EXPECT_EQ(render_config(only_images(pinned), ConfigFormat::yaml), "services:\n  web:\n    image: web:1@sha256:0\n");
}

TEST(Config, KnowsItsFormats) {
    EXPECT_EQ(parse_config_format("json"), ConfigFormat::json);
    EXPECT_THROW((void)parse_config_format("toml"), Error);
}

TEST(ConfigVariables, FindsEveryForm) {
    const auto found =
        config_variables(with_texts({"a${TAG:-latest}", "$PLAIN-x ${ALT:+there}", "$$NOT ${REQ:?say}",
                                     "${OUT:-${IN-deep}}", "${DASH-d}", "${", "${-bad}", "$", "${TAG}"}));
    std::string text;
    for (const auto& one : found)
        text += one.name + (one.required ? "!" : "") + "[" + one.default_value + "|" + one.alternate_value + "] ";
    EXPECT_EQ(text, "ALT[|there] DASH[d|] IN[deep|] OUT[${IN-deep}|] PLAIN[|] REQ![|] TAG[latest|] ");
}

TEST(ConfigVariables, EndsOnHostileNesting) {
    std::string nested;
    for (int i = 0; i < 20'000; ++i) nested += "${A:-";
    EXPECT_EQ(config_variables(with_texts({nested.c_str()})).size(), 1U);
}

TEST(ConfigVariables, PrintsATableJsonAndYaml) {
    const std::vector<ConfigVariable> variables{{"TAG", false, "latest", ""}, {"REQ", true, "", ""}};
    EXPECT_EQ(render_variables(variables).substr(0, 66),
              "NAME                REQUIRED            DEFAULT VALUE       ALTERN");
    EXPECT_NE(render_variables(variables, ConfigFormat::json).find("\"DefaultValue\": \"latest\""), std::string::npos);
    EXPECT_NE(render_variables(variables, ConfigFormat::yaml).find("\nTAG:\n  defaultvalue: latest\n"),
              std::string::npos);
}

TEST(Names, FollowTheProject) {
    EXPECT_EQ(container_name("p", "web", 2), "p-web-2");
    EXPECT_EQ(resource_name("p", "default"), "p_default");
    EXPECT_EQ(built_image_name("p", "web"), "p-web");
}

}  // namespace
}  // namespace compose
