#include "image/config.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "image/changes.hpp"
#include "image/words.hpp"

namespace compose::image {
namespace {

using ::testing::ElementsAre;
using Texts = std::vector<std::string>;

TEST(Config, ReadsWhatItWrote) {
    ImageConfig config;
    config.architecture = "amd64";
    config.os = "linux";
    config.created = "2026-01-02T03:04:05Z";
    config.env = {"PATH=/bin", "EMPTY=", "Q=\"x\""};
    config.cmd = {"a", "b c"};
    config.entrypoint = {"/e"};
    config.shell = {"/bin/bash", "-c"};
    config.user = "1000:app";
    config.working_dir = "/srv";
    config.stop_signal = "SIGQUIT";
    config.exposed_ports = {"53/udp", "80/tcp"};
    config.volumes = {"/data"};
    config.labels = {{"a", "b"}, {"k", ""}};
    config.health_check = HealthCheck{.test = {"CMD", "x"}, .interval_ns = 1'000'000'000, .retries = 3};
    config.diff_ids = {"sha256:" + std::string(64, '0')};
    config.history = {{.created = "2026-01-02T03:04:05Z", .created_by = "x", .comment = "c", .empty_layer = true}};
    const auto text = render_config(config);
    EXPECT_EQ(parse_config(text), config);
    EXPECT_EQ(render_config(parse_config(text)), text);
    EXPECT_EQ(config_digest(text).size(), 71U);
}

TEST(Config, TakesNullAndUnknownMembers) {
    const auto config = parse_config(
        R"({"architecture":"amd64","x":1,"config":{"Env":null,"Cmd":null,"Labels":null,"OnBuild":null,"Volumes":null},)"
        R"("rootfs":{"type":"layers","diff_ids":null},"history":null})");
    EXPECT_TRUE(config.env.empty());
    EXPECT_EQ(config.architecture, "amd64");
    EXPECT_EQ(parse_config("{}"), ImageConfig{});
}

TEST(Config, RefusesHostileContent) {  // M01 to M03, M16, M17
    std::string labels = R"({"config":{"Labels":{)";
    for (int i = 0; i < 100'000; ++i) labels += fmt::format("{}\"l{}\":\"\"", i > 0 ? "," : "", i);
    labels += "}}}";
    const std::string bad[] = {"",
                               "null",
                               "[]",
                               "\"x\"",
                               "{",
                               "\xef\xbb\xbf{}",
                               std::string(100'000, '['),
                               std::string(100'000, '{'),
                               R"({"config":[]})",
                               R"({"config":{"Env":["NOEQUALS"]}})",
                               R"({"config":{"Env":["=x"]}})",
                               R"({"config":{"Env":"A=b"}})",
                               R"({"config":{"Env":[1]}})",
                               R"({"config":{"Entrypoint":"sh"}})",
                               R"({"config":{"Entrypoint":[["x"]]}})",
                               R"({"config":{"Cmd":{"a":1}}})",
                               R"({"config":{"User":"a b"}})",
                               R"({"config":{"User":7}})",
                               R"({"config":{"User":"a\u0000b"}})",
                               R"({"config":{"Volumes":{"../":{}}}})",
                               R"({"config":{"Volumes":{"/a/../../b":{}}}})",
                               R"({"config":{"Volumes":["/a"]}})",
                               R"({"config":{"ExposedPorts":{"x":{}}}})",
                               R"({"config":{"ExposedPorts":{"70000/tcp":{}}}})",
                               R"({"config":{"ExposedPorts":{"80/x":{}}}})",
                               R"({"config":{"WorkingDir":"relative"}})",
                               R"({"config":{"WorkingDir":"/a/.."}})",
                               R"({"config":{"Labels":{"a":1}}})",
                               R"({"config":{"Healthcheck":{"Interval":-1}}})",
                               R"({"config":{"Healthcheck":{"Retries":99999999999}}})",
                               R"({"config":{"Healthcheck":{"Test":"x"}}})",
                               R"({"rootfs":{"diff_ids":["sha256:../x"]}})",
                               R"({"history":{}})",
                               R"({"history":[1]})",
                               R"({"config":{"Cmd":[")" + std::string(300'000, 'x') + R"("]}})",
                               labels,
                               R"({"x":")" + std::string(5'000'000, 'x') + "\"}"};
    for (const auto& text : bad) EXPECT_THROW(static_cast<void>(parse_config(text)), Error) << text.substr(0, 80);
}

TEST(Words, AreSplitAndExpandedAsByDockerfiles) {
    const Variables variables{{"A", "1"}, {"E", ""}, {"P", "a b"}};
    struct Case {
        std::string_view text;
        Texts words;
    };
    const Case cases[] = {
        {"a b  c", {"a", "b", "c"}},
        {"'a b' \"c d\"", {"a b", "c d"}},
        {"a\\ b", {"a b"}},
        {"$A ${A} '$A' \"$A\"", {"1", "1", "$A", "1"}},
        {"$P", {"a b"}},
        {"${X:-d} ${E:-d} ${E-d} ${A:-d}", {"d", "d", "", "1"}},
        {"${A:+y}${X:+y}", {"y"}},
        {"\\$A", {"$A"}},
        {"\"\\$A \\\" \\x\"", {"$A \" \\x"}},
        {"$ $1", {"$", "$1"}},
        {"''", {""}},
        {"", {}},
        {"${X:-${A}${X:-z}}", {"1z"}},
        {"x=${A}y", {"x=1y"}},
    };
    for (const auto& c : cases) EXPECT_EQ(split_words(c.text, variables), c.words) << c.text;
    for (const auto* bad : {"'a", "\"a", "${", "${A", "${}", "${1A}", "${A:", "${A:-", "${A:?x}", "${A!x}"})
        EXPECT_THROW(static_cast<void>(split_words(bad, variables)), Error) << bad;
    std::string nested = "x";
    for (int i = 0; i < 10'000; ++i) nested = "${Z:-" + nested + "}";
    EXPECT_THROW(static_cast<void>(split_words(nested, {})), Error);
}

ImageConfig changed(const Texts& changes) {
    ImageConfig config;
    for (const auto& change : changes) apply_change(config, change);
    return config;
}

TEST(Changes, ApplyEveryInstruction) {
    const auto config =
        changed({R"(CMD ["x", "y z"])", "ENTRYPOINT exec app $A", "ENV A=1 B=\"two words\"", "env PATH /opt:$A",
                 "ENV A=${A}2", "EXPOSE 443 80/tcp 53/udp 8000-8002", "LABEL a=b \"c d\"='e f'", "USER 1000:1000",
                 "VOLUME /data /b", R"(VOLUME ["/c d"])", "WORKDIR /srv", "WORKDIR app/../x", "STOPSIGNAL SIGQUIT",
                 "HEALTHCHECK --interval=5s --timeout=1m --start-period=2s --start-interval=1s --retries=4 CMD curl -f "
                 "x || exit 1"});
    EXPECT_THAT(config.cmd, ElementsAre("x", "y z"));
    EXPECT_THAT(config.entrypoint, ElementsAre("/bin/sh", "-c", "exec app $A"));
    EXPECT_THAT(config.env, ElementsAre("A=12", "B=two words", "PATH=/opt:1"));
    EXPECT_THAT(config.exposed_ports, ElementsAre("443/tcp", "53/udp", "80/tcp", "8000/tcp", "8001/tcp", "8002/tcp"));
    EXPECT_EQ(config.labels.at("a"), "b");
    EXPECT_EQ(config.labels.at("c d"), "e f");
    EXPECT_EQ(config.user, "1000:1000");
    EXPECT_THAT(config.volumes, ElementsAre("/b", "/c d", "/data"));
    EXPECT_EQ(config.working_dir, "/srv/x");
    EXPECT_EQ(config.stop_signal, "SIGQUIT");
    ASSERT_TRUE(config.health_check);
    EXPECT_THAT(config.health_check->test, ElementsAre("CMD-SHELL", "curl -f x || exit 1"));
    EXPECT_EQ(config.health_check->interval_ns, 5'000'000'000);
    EXPECT_EQ(config.health_check->timeout_ns, 60'000'000'000);
    EXPECT_EQ(config.health_check->retries, 4);
    EXPECT_THAT(changed({"HEALTHCHECK NONE"}).health_check->test, ElementsAre("NONE"));
    EXPECT_THAT(changed({R"(HEALTHCHECK CMD ["a","b"])"}).health_check->test, ElementsAre("CMD", "a", "b"));
    EXPECT_THAT(changed({"CMD [not json"}).cmd, ElementsAre("/bin/sh", "-c", "[not json"));
    EXPECT_TRUE(changed({"ENTRYPOINT x", "ENTRYPOINT []"}).entrypoint.empty());
    EXPECT_EQ(parse_config(render_config(config)), config);
}

TEST(Changes, RefuseWhatIsNone) {
    for (const auto* bad : {"",
                            "CMD",
                            "FROM x",
                            "RUN x",
                            "ENV",
                            "ENV A",
                            "ENV =x",
                            "ENV A=1 B",
                            "EXPOSE x",
                            "EXPOSE 0",
                            "EXPOSE 9-8",
                            "USER ",
                            "USER a\tb",
                            "VOLUME relative",
                            "VOLUME ../x",
                            "STOPSIGNAL SIGNOPE",
                            "HEALTHCHECK",
                            "HEALTHCHECK x",
                            "HEALTHCHECK --interval=x CMD a",
                            "HEALTHCHECK --interval=-1s CMD a",
                            "HEALTHCHECK --nope=1 CMD a",
                            "HEALTHCHECK CMD",
                            "HEALTHCHECK CMD []",
                            "HEALTHCHECK --retries=-1 CMD a",
                            "LABEL a",
                            "ENV A='x"})
        EXPECT_THROW(changed({bad}), Error) << bad;
}

}  // namespace
}  // namespace compose::image
