#include <compose/explain.hpp>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "memory_files.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

using testing::HasSubstr;

using Files = std::map<std::string, std::string>;

class Loaded {
public:
    explicit Loaded(const Files& files, std::map<std::string, std::string> environment = {}) {
        MemoryFiles source;
        for (const auto& [name, text] : files) source.add("/p/" + name, text);
        LoadRequest request;
        request.working_directory = "/p";
        request.environment = std::move(environment);
        request.trace = true;
        loaded_ = load_project(request, source, findings);
    }

    [[nodiscard]] std::string explained(const std::string& path) const {
        try {
            return render_explanation(explain(loaded_, findings.sources, path), findings.sources);
        } catch (const Error& error) {
            return std::string(error.what()) + " | " + error.hint();
        }
    }
    [[nodiscard]] std::string json(const std::string& path) const {
        return render_explanation_json(explain(loaded_, findings.sources, path), findings.sources);
    }
    [[nodiscard]] std::vector<Diagnostic> named() const {
        auto out = findings.sorted();
        name_overrides(out, loaded_, findings.sources);
        return out;
    }

    Diagnostics findings;

private:
    LoadedProject loaded_;
};

const Files kChain{
    {"common.yaml", "services:\n  base:\n    image: alpine\n    environment:\n      LEVEL: error\n      ONLY: base\n"},
    {"compose.yaml", R"(services:
  web:
    extends: {file: common.yaml, service: base}
    environment:
      LEVEL: ${LVL:-warn}
      FROM_SHELL:
    env_file: [a.env, b.env]
    labels: {com.example.a: x}
)"},
    {"compose.override.yaml",
     "services:\n  web:\n    environment:\n      LEVEL: ${LVL}-${OTHER-none}\n    image: nginx\n"},
    {".env", "LVL=debug\n"},
    {"a.env", "LEVEL=file\nX=1\n"},
    {"b.env", "X=2\n"},
};

TEST(Explain, NamesEveryStepOfAChain) {
    EXPECT_EQ(Loaded(kChain).explained("services.web.environment.LEVEL"),
              R"(services.web.environment.LEVEL: debug-none
  a.env:1:1: file (env_file)
  common.yaml:5:14: error
      web extends base at compose.yaml:3:43
  compose.yaml:5:14: ${LVL:-warn} gives debug (override)
      LVL is debug: from .env:1:1
  compose.override.yaml:4:14: ${LVL}-${OTHER-none} gives debug-none (override)
      LVL is debug: from .env:1:1
      OTHER is not set
)");
}

TEST(Explain, SaysThatTheShellWinsOverDotenv) {
    EXPECT_THAT(Loaded(kChain, {{"LVL", "trace"}}).explained("web.environment.LEVEL"),
                HasSubstr("LVL is trace: from the environment, which wins over .env:1:1"));
}

TEST(Explain, FollowsKeysWithoutValueAndEnvFiles) {
    const Loaded got(kChain, {{"FROM_SHELL", "abc"}});
    EXPECT_EQ(got.explained("web.environment.FROM_SHELL"), R"(services.web.environment.FROM_SHELL: abc
  compose.yaml:6:7: null
  a key without a value takes it from the environment: abc
      FROM_SHELL is abc: from the environment
)");
    EXPECT_EQ(got.explained("web.environment.X"), R"(services.web.environment.X: 2
  a.env:2:1: 1 (env_file)
  b.env:1:1: 2 (env_file)
)");
}

TEST(Explain, FindsKeysWithDotsAndWholeMappings) {
    const Loaded got(kChain);
    EXPECT_EQ(got.explained("web.labels.com.example.a"),
              "services.web.labels.com.example.a: x\n  compose.yaml:8:29: x\n");
    EXPECT_EQ(got.explained("web.labels[\"com.example.a\"]"), got.explained("web.labels"));
}

TEST(Explain, SaysWhatIsFilledIn) {
    const Loaded got(kChain);
    EXPECT_EQ(got.explained("networks.default.name"),
              "networks.default.name: p_default\n  filled in, since no file says it: p_default\n");
    EXPECT_EQ(got.explained("name"), "name: p\n  taken from the name of the project's folder: p\n");
}

TEST(Explain, FollowsListsThatAnOverrideReplaced) {
    const Loaded got(Files{{"compose.yaml", "services:\n  a:\n    image: x\n    command: [one, two]\n"},
                           {"compose.override.yaml", "services: {a: {command: [three]}}\n"}});
    EXPECT_EQ(got.explained("a.command[0]"),
              "services.a.command[0]: three\n  compose.yaml:4:15: one\n"
              "  compose.override.yaml:1:26: three (override)\n");
}

TEST(Explain, NamesTheIncludeOfAFile) {
    const Loaded got(Files{{"compose.yaml", "include: [sub/c.yaml]\nservices: {a: {image: x}}\n"},
                           {"sub/c.yaml", "services: {b: {image: y}}\n"}});
    EXPECT_EQ(got.explained("b.image"),
              "services.b.image: y\n  sub/c.yaml:1:23: y\n      included at compose.yaml:1:11\n");
}

TEST(Explain, SaysHowFarAPathGoes) {
    const Loaded got(kChain);
    EXPECT_EQ(got.explained("web.imag"), "services.web has no \"imag\" | did you mean services.web.image?");
    EXPECT_EQ(got.explained("web.command[2]"),
              "services.web has no \"command[2]\" | there are environment, image, labels, networks");
    EXPECT_EQ(got.explained("webb.image"), "the project has no \"webb.image\" | did you mean web?");
    EXPECT_EQ(got.explained(""), "which value? write a path like services.web.image | ");
}

TEST(Explain, GivesTheSameAsJson) {
    EXPECT_EQ(Loaded(kChain).json("web.image"),
              R"({"path":"services.web.image","value":"nginx","steps":[)"
              R"({"kind":"extends","value":"alpine","file":"common.yaml","line":3,"column":12,)"
              R"("note":"web extends base at compose.yaml:3:43"},)"
              R"({"kind":"override","value":"nginx","file":"compose.override.yaml","line":5,"column":12}]})"
              "\n");
}

std::string messages(const Loaded& loaded) {
    std::string out;
    for (const auto& finding : loaded.named()) out += finding.message + "\n";
    return out;
}

TEST(Overrides, AreNamedInFindingsAboutMergedValues) {
    const Loaded got(Files{{"compose.yaml", "services:\n  a:\n    image: x\n    scale: 1\n"},
                           {"compose.override.yaml", "services:\n  a:\n    scale: 3\n    deploy: {replicas: 2}\n"}});
    EXPECT_EQ(messages(got), "scale is 3, but deploy.replicas is 2 (it overrides compose.yaml:4:12)\n");
}

TEST(Overrides, AreNamedInFindingsAboutValuesThatDoNotCount) {
    const Loaded got(Files{{"compose.yaml", "services:\n  a:\n    image: x\n    stop_grace_period: soon\n"},
                           {"compose.override.yaml", "services: {a: {stop_grace_period: 1s}}\n"}});
    EXPECT_EQ(messages(got), "\"soon\" is not a duration (overridden at compose.override.yaml:1:35)\n");
}

TEST(Findings, SayWhereServicesStand) {
    Diagnostics findings;
    MemoryFiles files({{"/p/compose.yaml", "web:\n  image: nginx\n"}});
    LoadRequest request;
    request.working_directory = "/p";
    (void)load_project(request, files, findings);
    ASSERT_EQ(findings.error_count(), 1U);
    EXPECT_EQ(findings.sorted()[0].hint, "services stand under services:, indented");
}

TEST(Findings, NameContextsThatNoServiceMakes) {
    const Loaded got(Files{{"compose.yaml", R"(services:
  a: {build: {context: ., additional_contexts: {x: "service:nope", y: "service:b", z: "service:c"}}}
  b: {image: x}
  c: {build: .}
)"}});
    EXPECT_EQ(messages(got),
              "refers to undefined service \"nope\"\nservice \"b\" is not built here: it has no build\n");
}

TEST(Findings, WarnOfBooleansOfOlderDays) {
    const Loaded got(Files{{"compose.yaml", "services: {a: {image: x, init: yes, tty: \"on\", restart: no}}\n"}});
    EXPECT_FALSE(got.findings.has_errors());
    EXPECT_EQ(messages(got), "\"yes\" is a boolean of YAML 1.1\n");
}

TEST(Findings, ComeInOneRunThoughSomeFollowFromOthers) {
    const Loaded got(Files{{"compose.yaml", R"(services:
  a: {image: x, restart: sometimes, networks: [gone]}
  b: {image: x, networks: [lost]}
  c: {imagee: x}
networks:
  ext: {external: true, driver: bridge}
)"}});
    const auto text = messages(got);
    EXPECT_THAT(text, HasSubstr("sometimes"));
    EXPECT_THAT(text, HasSubstr("undefined network \"lost\""));
    EXPECT_THAT(text, HasSubstr("undefined network \"gone\""));
    EXPECT_THAT(text, HasSubstr("unknown attribute \"imagee\""));
    EXPECT_THAT(text, HasSubstr("driver can't be set for an external network"));
    EXPECT_THAT(text, testing::Not(HasSubstr("needs an image")));
}

}  // namespace
}  // namespace compose
