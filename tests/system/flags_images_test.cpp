// Flags of config, build, pull and push.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ConfigFlags, EachPrintsItsPart) {
    Sandbox box;
    box.environment["TAG"] = "7";
    box.write("web.env", "FROM_FILE=yes\n");
    box.write("compose.yaml", R"(services:
  web:
    image: app:${TAG:?no tag}
    env_file: web.env
    volumes: ["./src:/src", "data:/data"]
    networks: [front]
    environment: {LEVEL: "${LEVEL:-info}"}
  tool: {image: tool, profiles: [extra]}
networks: {front: {}}
volumes: {data: {}}
)");
    const auto config = [&](const std::vector<std::string>& flags) {
        std::vector<std::string> words{"config"};
        words.insert(words.end(), flags.begin(), flags.end());
        return box.ok(words);
    };
    EXPECT_EQ(config({"--services"}), "web\n");
    EXPECT_EQ(config({"--volumes"}), "data\n");
    EXPECT_EQ(config({"--networks"}), "front\n");
    EXPECT_EQ(config({"--images"}), "app:7\n");
    EXPECT_EQ(config({"--profiles"}), "extra\n");
    EXPECT_EQ(config({"--models"}), "");
    EXPECT_EQ(config({"-q"}), "");
    EXPECT_THAT(config({"--environment"}), HasSubstr("TAG=7\n"));
    EXPECT_THAT(config({"--variables"}), testing::AllOf(HasSubstr("TAG"), HasSubstr("LEVEL"), HasSubstr("info")));
    const auto hash = config({"--hash", "web"});
    EXPECT_THAT(hash, testing::MatchesRegex("web [0-9a-f]{64}\n"));
    EXPECT_EQ(config({"--hash", "*"}), hash);
    box.environment["LEVEL"] = "debug";
    EXPECT_NE(config({"--hash", "web"}), hash);
    box.environment.erase("LEVEL");

    const auto text = config({});
    EXPECT_THAT(text, testing::AllOf(HasSubstr("FROM_FILE: \"yes\""), HasSubstr(box.path("src")),
                                     HasSubstr("name: demo"), HasSubstr("name: demo_front")));
    EXPECT_THAT(config({"--no-env-resolution"}), Not(HasSubstr("FROM_FILE")));
    EXPECT_THAT(config({"--no-path-resolution"}), Not(HasSubstr(box.path("src"))));
    EXPECT_THAT(config({"--no-interpolate"}), testing::AllOf(HasSubstr("${TAG:?no tag}"), HasSubstr("${LEVEL:-info}")));
    EXPECT_THAT(config({"--no-normalize"}), Not(HasSubstr("name: demo_front")));
    EXPECT_EQ(config({"-o", "out.yaml"}), "");
    EXPECT_EQ(sys::read_file(box.path("out.yaml")), text);
    const auto json = parse_json(config({"--format", "json"})).as_object();
    EXPECT_TRUE(json.at("services").as_object().contains("web"));
    box.environment.erase("TAG");
    EXPECT_THAT(box.fails({"config"}), HasSubstr("required variable TAG is missing a value: no tag"));

    box.write("loose.yaml", "services: {a: {image: x, networks: [nosuch]}}\n");
    EXPECT_THAT(box.fails({"-f", "loose.yaml", "config"}), HasSubstr("nosuch"));
    EXPECT_THAT(box.ok({"-f", "loose.yaml", "config", "--no-consistency"}), HasSubstr("nosuch"));
}

constexpr const char* kBuilt = R"(
services:
  app:
    build: {context: ., dockerfile_inline: "FROM busybox\nARG WHO=nobody\nRUN echo $$WHO > /who\nCMD [\"cat\", \"/who\"]"}
    depends_on: [base]
  base:
    image: named:1
    build: {context: ., dockerfile_inline: "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /once"}
)";

TEST(BuildFlags, ArgumentsCacheAndDependencies) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kBuilt);
    EXPECT_THAT(box.compose({"--dry-run", "build"}).err, HasSubstr("DRY-RUN MODE -  Image demo-app Built"));
    EXPECT_EQ(box.ok({"image", "ls", "-q", "demo-app"}), "");
    EXPECT_THAT(box.compose({"build", "--build-arg", "WHO=me", "app"}).err,
                testing::AllOf(testing::StartsWith(" Image demo-app Building\n"),
                               testing::EndsWith(" Image demo-app Built\n")));
    EXPECT_THAT(box.compose({"--progress", "json", "build", "--build-arg", "WHO=me", "app"}).err,
                testing::EndsWith("{\"id\":\"Image demo-app\",\"status\":\"Done\",\"text\":\"Built\"}\n"));
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--no-deps", "app"}), "me\n");
    EXPECT_EQ(box.ok({"image", "ls", "-q", "named"}), "") << "without its dependencies";
    EXPECT_EQ(box.compose({"build", "-q", "--with-dependencies", "app"}).err, "");
    const auto id = [&] { return box.ok({"image", "ls", "-q", "--no-trunc", "named"}); };
    const auto first = id();
    EXPECT_THAT(first, Not(testing::IsEmpty()));
    box.ok({"build", "base"});
    EXPECT_EQ(id(), first);
    box.ok({"build", "--no-cache", "-m", "256m", "base"});
    EXPECT_NE(id(), first);
    const auto bake = parse_json(box.ok({"build", "--print"})).as_object();
    EXPECT_TRUE(bake.at("target").as_object().contains("app"));
    box.ok({"build", "--check"});
    EXPECT_THAT(box.fails({"build", "--builder", "other"}), HasSubstr("there is no builder \"other\""));
    EXPECT_THAT(box.fails({"build", "--sbom", "true"}), HasSubstr("attestations are not made"));
    box.ok({"build", "--provenance=false", "--builder", "default", "-q", "base"});
    EXPECT_THAT(box.fails({"build", "--memory", "lots"}), HasSubstr("is not a size"));
    EXPECT_THAT(box.fails({"build", "nosuch"}), HasSubstr("nosuch"));
    EXPECT_THAT(box.fails({"build", "--ssh", "default"}), HasSubstr("SSH_AUTH_SOCK"));
    box.ok({"down", "--rmi", "all"});
}

TEST(TransferFlags, PullAndPushOfServices) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    box.write(
        "compose.yaml",
        "services:\n"
        "  app:\n    image: " +
            registry.name("app:1") + "\n    build: {dockerfile_inline: \"FROM busybox\\nRUN echo x > /x\", tags: [" +
            registry.name("app:tagged") + "]}\n    depends_on: [lib]\n  lib:\n    image: " + registry.name("lib:1") +
            "\n    build: {dockerfile_inline: \"FROM busybox\\nRUN echo y > /y\"}\n"
            "  plain: {build: {dockerfile_inline: \"FROM busybox\"}}\n  far: {image: " +
            registry.name("nosuch:1") + "}\n");
    box.ok({"build", "--push", "app"});
    const auto there = [&](const char* name) {
        return box.host({"skopeo", "inspect", "--tls-verify=false", "docker://" + registry.name(name)}).ok();
    };
    EXPECT_TRUE(there("app:1"));
    EXPECT_TRUE(there("app:tagged"));
    EXPECT_FALSE(there("lib:1"));
    box.ok({"build", "-q"});
    box.ok({"push", "-q", "--include-deps", "app"});
    EXPECT_TRUE(there("lib:1"));
    EXPECT_THAT(box.compose({"push", "plain"}).err, HasSubstr("Skipped"));
    box.ok({"image", "rm", registry.name("app:1"), registry.name("app:tagged"), registry.name("lib:1"), "demo-plain"});
    EXPECT_THAT(box.fails({"push", "app"}), HasSubstr("app:1"));
    box.ok({"push", "--ignore-push-failures", "app"});
    box.ok({"pull", "--ignore-buildable", "app"});
    const auto here = [&](const char* name) { return !box.ok({"image", "ls", "-q", registry.name(name)}).empty(); };
    EXPECT_FALSE(here("app"));
    box.ok({"pull", "--policy", "missing", "app"});
    EXPECT_TRUE(here("app"));
    EXPECT_FALSE(here("lib"));
    box.ok({"pull", "--include-deps", "-q", "app"});
    EXPECT_TRUE(here("lib"));
    EXPECT_THAT(box.fails({"pull", "--policy", "sometimes"}), HasSubstr("--policy"));
    EXPECT_THAT(box.compose({"pull", "plain"}).err, HasSubstr("Skipped"));
    EXPECT_THAT(box.fails({"pull"}), HasSubstr("nosuch"));
}

}  // namespace
}  // namespace compose::test
