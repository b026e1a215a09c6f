// Files made to hurt: each has to end soon, in a model or in a few findings.
#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/stages.hpp"
#include "memory_files.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr std::chrono::seconds kSoon{20};  // of a debug build on a busy machine, sanitizers included

struct Outcome {
    std::size_t errors = 0;
    std::vector<Diagnostic> shown;
    LoadedProject loaded;
};

Outcome load(std::string yaml) {
    MemoryFiles files({{"/p/compose.yaml", std::move(yaml)}});
    LoadRequest request;
    request.working_directory = "/p";
    Diagnostics findings;
    Outcome out;
    const auto begin = std::chrono::steady_clock::now();
    out.loaded = load_project(request, files, findings);
    out.errors = findings.error_count();
    out.shown = findings.sorted();
    std::string text;
    for (const auto& finding : out.shown) text += render(finding, findings.sources, false);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, kSoon);
    EXPECT_LT(text.size(), 2'000'000U);
    return out;
}

std::string repeated(int count, const std::string& before, const std::string& after) {
    std::string out;
    for (int i = 0; i < count; ++i) out += before + std::to_string(i) + after;
    return out;
}

TEST(Hostile, HundredThousandUnknownAttributes) {
    const auto got = load("services:\n  a:\n    image: a\n" + repeated(100'000, "    imag", ": x\n"));
    EXPECT_EQ(got.errors, 100'000U);
    EXPECT_THAT(got.shown, SizeIs(Diagnostics::kMaxFindings + 1));
    EXPECT_THAT(got.shown[0].hint, HasSubstr("image"));
}

TEST(Hostile, HundredThousandBadPorts) {
    const auto got = load("services:\n  a:\n    image: a\n    ports:\n" + repeated(100'000, "      - x", ":80\n"));
    EXPECT_THAT(got.shown, SizeIs(Diagnostics::kMaxFindings + 1));
}

TEST(Hostile, RangesOfEveryPortManyTimes) {
    const auto got = load("services:\n  a:\n    image: a\n    ports:\n" +
                          repeated(20'000, "      - \"127.0.0.1:1-65535:1-65535/udp\" # ", "\n"));
    EXPECT_EQ(got.errors, 1U);
    EXPECT_THAT(got.shown[0].message, HasSubstr("more than 40000 ports"));
}

TEST(Hostile, AChainAndAClubOfDependencies) {
    std::string chain = "services:\n";
    for (int i = 0; i < 5'000; ++i)
        chain += "  s" + std::to_string(i) + ": {image: a, depends_on: [s" + std::to_string((i + 1) % 5'000) + "]}\n";
    const auto cycle = load(chain);
    EXPECT_EQ(cycle.errors, 1U);
    EXPECT_THAT(cycle.shown[0].message, HasSubstr("dependency cycle: s0 -> s1"));

    std::string club = "x-all: &all [" + repeated(300, "s", ",") + "]\nservices:\n";
    for (int i = 0; i < 300; ++i) club += "  s" + std::to_string(i) + ": {image: a, depends_on: *all}\n";
    EXPECT_GT(load(club).errors, 0U);
}

TEST(Hostile, ReferencesThatAreAlmostRight) {
    const auto got = load("services:\n  a:\n    image: a\n    networks: [" + repeated(20'000, "netw", ", ") +
                          "]\nnetworks: {" + repeated(2'000, "networ", ": , ") + "}\n");
    EXPECT_THAT(got.shown, SizeIs(Diagnostics::kMaxFindings + 1));
}

TEST(Hostile, LongTextsAndOddNumbers) {
    const std::string big(1'000'000, '9');
    const auto got = load("services:\n  a:\n    image: a\n    command: " + std::string(1'000'000, '\\') +
                          "\n    mem_limit: \"" + big + "\"\n    stop_grace_period: \"" + big + "s\"\n    cpus: \"" +
                          big + "\"\n    scale: 99999999999\n    ports: [\"" + big + ":1\"]\n    volumes: [\"" +
                          std::string(100'000, ':') + "\"]\n    extra_hosts: [\"" + big + "\"]\n");
    EXPECT_GT(got.errors, 4U);
}

TEST(Hostile, ScalarsWhereMappingsShouldBe) {
    for (const char* value :
         {"5", "true", "text", "[1, [2, {a: [3]}]]", "{a: {b: {c: [1]}}}", "[{}]", "[[]]", "~", "1.5"}) {
        std::string yaml = "services:\n  a:\n    image: app\n";
        for (const char* key :
             {"build",    "blkio_config", "command",    "configs",   "credential_spec", "depends_on", "deploy",
              "develop",  "devices",      "dns",        "env_file",  "environment",     "expose",     "extra_hosts",
              "gpus",     "healthcheck",  "label_file", "labels",    "links",           "logging",    "models",
              "networks", "ports",        "post_start", "pre_start", "profiles",        "provider",   "secrets",
              "sysctls",  "tmpfs",        "ulimits",    "volumes",   "volumes_from"})
            yaml += "    " + std::string(key) + ": " + value + "\n";
        for (const char* key : {"networks", "volumes", "secrets", "configs", "models", "x-y"})
            yaml += std::string(key) + ": " + value + "\n";
        EXPECT_GT(load(yaml).errors + 1, 0U);
        EXPECT_GT(load("services: " + std::string(value) + "\n").errors + 1, 0U);
        EXPECT_GT(load("services: {a: " + std::string(value) + "}\n").errors + 1, 0U);
    }
}

TEST(Hostile, KeysInListItemsHoldNoControlCharacters) {
    for (const char* line : {"environment: [\"A\\x1b=b\"]", "labels: [\"a\\nb=c\"]", "networks: [\"n\\x07\"]"}) {
        const auto got = load("services:\n  a:\n    image: app\n    " + std::string(line) + "\n");
        ASSERT_GE(got.errors, 1U) << line;
        EXPECT_THAT(got.shown[0].message, HasSubstr("has a control character")) << line;
    }
}

TEST(Hostile, ExtraHostsAddNoLines) {
    for (const char* line : {"[\"a\\n1.2.3.4 b=1.2.3.4\"]", "{a: \"1.2.3.4\\n5.6.7.8 bank\"}", "[\"\\r=1.2.3.4\"]"}) {
        const auto got = load("services:\n  a:\n    image: app\n    extra_hosts: " + std::string(line) + "\n");
        ASSERT_EQ(got.errors, 1U) << line;
        EXPECT_THAT(got.shown[0].message, HasSubstr("is not a host and an address")) << line;
    }
}

TEST(Hostile, ADeviceWithEmptyPermissionsHasAll) {
    const auto got = load("services: {a: {image: app, devices: [\"/dev/a:/dev/b:\"]}}\n");
    EXPECT_EQ(got.loaded.project.services.at("a").devices.at(0).permissions, "rwm");
}

}  // namespace
}  // namespace compose
