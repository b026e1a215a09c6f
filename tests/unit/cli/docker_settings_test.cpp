// What counts here of a user's configuration for Docker.
#include "cli/docker_settings.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace compose::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Proxies, AreKnownUnderBothSpellings) {
    EXPECT_THAT(proxies_in(R"({"proxies": {"default": {"httpProxy": "http://a", "noProxy": "b,c", "ftpProxy": ""}}})",
                           "unix:///var/run/docker.sock"),
                ElementsAre(Pair("HTTP_PROXY", "http://a"), Pair("NO_PROXY", "b,c"), Pair("http_proxy", "http://a"),
                            Pair("no_proxy", "b,c")));
}

TEST(Proxies, OfTheDaemonItselfComeFirst) {
    const char* const config = R"({"proxies": {"default": {"allProxy": "x"}, "unix:///own": {"httpsProxy": "y"}}})";
    EXPECT_THAT(proxies_in(config, "unix:///own"), ElementsAre(Pair("HTTPS_PROXY", "y"), Pair("https_proxy", "y")));
    EXPECT_THAT(proxies_in(config, "unix:///other"), ElementsAre(Pair("ALL_PROXY", "x"), Pair("all_proxy", "x")));
}

TEST(Proxies, NoneAreNoError) {
    for (const char* text : {"", "{}", R"({"proxies": {}})", R"({"proxies": null, "auths": {}})"})
        EXPECT_THAT(proxies_in(text, "x"), IsEmpty()) << text;
}

TEST(Proxies, WhatIsMalformedIsNamed) {
    for (const char* text : {"{", "[]", R"({"proxies": 5})", R"({"proxies": {"default": []}})",
                             R"({"proxies": {"default": {"httpProxy": 3}}})"})
        EXPECT_THROW((void)proxies_in(text, "x"), Error) << text;
}

TEST(Proxies, WhatTheProjectSaysWins) {
    Project project;
    Service& service = project.services["web"];
    service.config_hash = "same";
    service.environment = {{"HTTP_PROXY", "own"}, {"NO_PROXY", std::nullopt}};
    service.build.emplace().args = {{"http_proxy", "own"}};
    give_proxies(project, {{"HTTP_PROXY", "a"}, {"http_proxy", "a"}, {"NO_PROXY", "b"}});
    EXPECT_THAT(service.environment,
                ElementsAre(Pair("HTTP_PROXY", std::optional<std::string>("own")), Pair("NO_PROXY", std::nullopt),
                            Pair("http_proxy", std::optional<std::string>("a"))));
    EXPECT_EQ(service.build->args.at("http_proxy"), "own");
    EXPECT_EQ(service.build->args.at("HTTP_PROXY"), "a");
    EXPECT_EQ(service.config_hash, "same");
}

}  // namespace
}  // namespace compose::cli
