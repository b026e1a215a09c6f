#include <compose/load.hpp>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_files.hpp"
#include "model/node.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

using testing::HasSubstr;

struct Loading {
    Diagnostics findings;
    LoadedProject loaded;
    std::string text;  // of the findings

    /// The value at a path of keys, as text.
    [[nodiscard]] std::string at(const std::vector<std::string>& path) const {
        const Node* node = loaded.tree ? &loaded.tree->root : nullptr;
        for (const auto& key : path) node = node == nullptr ? nullptr : node->find(key);
        return node == nullptr ? "(none)" : flow(*node);
    }
    [[nodiscard]] std::string service(const std::string& name, const std::string& key) const {
        return at({"services", name, key});
    }
};

std::unique_ptr<Loading> load(MemoryFiles files, LoadRequest request = {}) {
    auto out = std::make_unique<Loading>();
    if (request.working_directory.empty()) request.working_directory = "/p";
    out->loaded = load_project(request, files, out->findings);
    out->text = text_of(out->findings);
    return out;
}

std::unique_ptr<Loading> load(const std::string& yaml, LoadRequest request = {}) {
    return load(MemoryFiles({{"/p/compose.yaml", yaml}}), std::move(request));
}

TEST(Load, FindsTheFileInAFolderAboveWithItsOverride) {
    LoadRequest request;
    request.working_directory = "/p/deep/er";
    const auto got = load(MemoryFiles({{"/p/compose.yaml", "services: {a: {image: one, hostname: h}}"},
                                       {"/p/compose.override.yml", "services: {a: {image: two}}"}}),
                          request);
    EXPECT_EQ(got->text, "");
    EXPECT_EQ(got->service("a", "image"), "'two'");
    EXPECT_EQ(got->service("a", "hostname"), "'h'");
    EXPECT_EQ(got->loaded.project.name, "p");
    EXPECT_EQ(got->loaded.project.working_dir, "/p");
    EXPECT_THAT(got->loaded.project.config_files, testing::ElementsAre("/p/compose.yaml", "/p/compose.override.yml"));
}

TEST(Load, SaysWhenThereIsNoFile) {
    EXPECT_THAT(load(MemoryFiles{})->text, HasSubstr("no configuration file provided: not found in /p or above"));
    LoadRequest request;
    request.files = {"x.yaml", "oci://example/x"};
    const auto got = load(MemoryFiles{}, request);
    EXPECT_THAT(got->text, HasSubstr("Compose file x.yaml not found: no such file"));
    EXPECT_THAT(got->text, HasSubstr("\"oci://example/x\" can't be fetched here"));
}

TEST(Load, TakesFilesFromTheVariableAndStdin) {
    LoadRequest request;
    request.environment = {{"COMPOSE_FILE", "a.yaml;-"}, {"COMPOSE_PATH_SEPARATOR", ";"}};
    MemoryFiles files({{"/p/a.yaml", "services: {a: {image: one}}"}});
    files.input = "services: {a: {hostname: h}}";
    const auto got = load(files, request);
    EXPECT_EQ(got->text, "");
    EXPECT_EQ(got->service("a", "hostname"), "'h'");
}

TEST(Load, ChoosesTheNameByRank) {
    const std::string named = "name: from-file\nservices: {a: {image: '${COMPOSE_PROJECT_NAME}'}}";
    EXPECT_EQ(load(named)->service("a", "image"), "'from-file'");
    LoadRequest request;
    request.environment = {{"COMPOSE_PROJECT_NAME", "from-env"}};
    EXPECT_EQ(load(named, request)->service("a", "image"), "'from-env'");
    request.project_name = "from-flag";
    EXPECT_EQ(load(named, request)->service("a", "image"), "'from-flag'");
    request.project_name = "Bad_Name";
    EXPECT_THAT(load(named, request)->text, HasSubstr("invalid project name \"Bad_Name\""));
    EXPECT_THAT(load("name: Bad Name\nservices: {}")->text, HasSubstr("compose.yaml:1:7: name: invalid project name"));
    request = {};
    request.working_directory = "/My Project.v2";
    EXPECT_EQ(
        load(MemoryFiles({{"/My Project.v2/compose.yaml", "services: {a: {image: x}}"}}), request)->loaded.project.name,
        "myprojectv2");
}

TEST(Load, ReadsDotenvBelowTheShell) {
    LoadRequest request;
    request.environment = {{"BOTH", "shell"}};
    MemoryFiles files({{"/p/compose.yaml", "services: {a: {image: '$BOTH-$FILE'}}"},
                       {"/p/.env", "BOTH=file\nFILE=${BOTH}2\n"},
                       {"/p/one.env", "FILE=one\n"},
                       {"/p/two.env", "FILE=two\n"}});
    EXPECT_EQ(load(files, request)->service("a", "image"), "'shell-shell2'");
    request.env_files = {"one.env", "two.env"};
    EXPECT_EQ(load(files, request)->service("a", "image"), "'shell-two'");
    request.env_files = {"none.env"};
    EXPECT_THAT(load(files, request)->text, HasSubstr("env file none.env not found"));
    request.env_files.clear();
    request.environment["COMPOSE_DISABLE_ENV_FILE"] = "1";
    EXPECT_THAT(load(files, request)->text, HasSubstr("The \"FILE\" variable is not set"));
}

TEST(Load, ResolvesEnvironmentByRank) {
    LoadRequest request;
    request.environment = {{"S", "shell"}};
    const auto got =
        load(MemoryFiles({{"/p/compose.yaml",
                           "services:\n  a:\n    image: x\n    env_file: [one.env, two.env]\n"
                           "    environment: {S: , A: own, NONE: }\n    label_file: l.label\n    labels: {x: own}\n"},
                          {"/p/one.env", "S=file\nA=file\nB=1\nC=1\n"},
                          {"/p/two.env", "C=2\nD=${B}d\nNONE=file\n"},
                          {"/p/l.label", "x=file\ny=file\n"}}),
             request);
    EXPECT_EQ(got->text, "");
    EXPECT_EQ(got->service("a", "environment"), "{S: 'shell', A: 'own', NONE: null, B: '1', C: '2', D: '1d'}");
    EXPECT_EQ(got->service("a", "labels"), "{x: 'own', y: 'file'}");
    EXPECT_EQ(got->service("a", "env_file"), "(none)");
    EXPECT_THAT(load("services:\n  a:\n    image: x\n    env_file:\n      - lost.env\n")->text,
                HasSubstr("compose.yaml:5:9: services.a.env_file[0]: env file lost.env not found"));
}

TEST(Load, AppliesProfilesAndSelection) {
    const std::string yaml =
        "services:\n  web: {image: x, depends_on: [db]}\n  db: {image: x, networks: [back]}\n"
        "  debug: {image: x, profiles: [debug], volumes: ['v:/v']}\nnetworks: {back: }\nvolumes: {v: }\n";
    EXPECT_EQ(load(yaml)->service("debug", "image"), "(none)");
    EXPECT_EQ(load(yaml)->at({"volumes"}), "(none)") << "what no active service uses is left out";
    LoadRequest request;
    request.profiles = {"debug"};
    EXPECT_EQ(load(yaml, request)->service("debug", "image"), "'x'");
    request.profiles = {"*"};
    EXPECT_EQ(load(yaml, request)->service("debug", "image"), "'x'");
    request = {};
    request.environment = {{"COMPOSE_PROFILES", "other, debug"}};
    EXPECT_EQ(load(yaml, request)->service("debug", "image"), "'x'");
    request = {};
    request.selected_services = {"debug"};
    const auto got = load(yaml, request);
    EXPECT_EQ(got->service("debug", "image"), "'x'");
    EXPECT_EQ(got->service("web", "image"), "(none)") << "config prints what was asked for";
    EXPECT_TRUE(got->loaded.project.services.contains("web")) << "the project still knows the others";
    request.selected_services = {"wbe"};
    EXPECT_THAT(load(yaml, request)->text, HasSubstr("no such service: wbe"));
}

TEST(Load, ExtendsFromOtherFolders) {
    const auto got = load(MemoryFiles(
        {{"/p/compose.yaml",
          "services:\n  leaf:\n    extends: {file: l1/a.yaml, service: mid}\n    environment: {C: leaf}\n"},
         {"/p/l1/a.yaml",
          "services:\n  mid:\n    extends: {file: l2/b.yaml, service: root}\n    volumes: ['./m:/m']\n"
          "    environment: {B: mid, C: mid}\n  broken: {nonsense: 1}\n"},
         {"/p/l1/l2/b.yaml",
          "services:\n  root:\n    image: x\n    volumes: ['./r:/r', '../m2:/m']\n    environment: {A: root}\n"}}));
    EXPECT_EQ(got->text, "");
    EXPECT_EQ(got->service("leaf", "environment"), "{A: 'root', B: 'mid', C: 'leaf'}");
    const auto volumes = got->service("leaf", "volumes");
    EXPECT_THAT(volumes, HasSubstr("/p/l1/l2/r'"));
    EXPECT_THAT(volumes, HasSubstr("/p/l1/m'"));
    EXPECT_EQ(got->service("leaf", "extends"), "(none)");
}

TEST(Load, NamesTheCircleOfExtends) {
    EXPECT_THAT(load("services:\n  aa:\n    extends: bb\n  bb:\n    extends: cc\n  cc:\n    extends: aa\n")->text,
                HasSubstr("circular reference: aa extends bb extends cc extends aa"));
    EXPECT_THAT(load(MemoryFiles({{"/p/compose.yaml", "services: {a: {extends: {file: o.yaml, service: b}}}"},
                                  {"/p/o.yaml", "services: {b: {extends: {file: compose.yaml, service: a}}}"}}))
                    ->text,
                HasSubstr("circular reference: a (compose.yaml) extends b (o.yaml) extends a (compose.yaml)"));
    EXPECT_THAT(load("services:\n  web:\n    image: x\n    extends: ghost\n")->text,
                HasSubstr("compose.yaml:4:14: services.web.extends: service \"ghost\" not found in compose.yaml"));
    EXPECT_THAT(load("services:\n  web:\n    extends:\n      file: no.yaml\n      service: x\n")->text,
                HasSubstr("compose.yaml:4:13: services.web.extends.file: Compose file no.yaml not found"));
}

TEST(Load, IncludesProjectsWithTheirOwnFolderAndDotenv) {
    const auto got = load(MemoryFiles(
        {{"/p/compose.yaml",
          "include:\n  - sub/compose.yaml\n  - {path: parts/one.yaml, project_directory: base, env_file: e.env}\n"
          "services:\n  inner: {hostname: over}\n  web: {image: '$SHARED'}\n"},
         {"/p/.env", "SHARED=parent\n"},
         {"/p/sub/.env", "SHARED=child\nOWN=child\n"},
         {"/p/e.env", "TAG=9\n"},
         {"/p/base/.env", "TAG=ignored\n"},
         {"/p/parts/one.yaml", "services: {one: {image: 'one:$TAG', volumes: ['./d:/d']}}"},
         {"/p/sub/compose.yaml", "services:\n  inner: {image: '$SHARED-$OWN', hostname: h, volumes: ['./v:/v']}\n"}}));
    EXPECT_EQ(got->text, "");
    EXPECT_EQ(got->service("inner", "image"), "'parent-child'");
    EXPECT_EQ(got->service("inner", "hostname"), "'over'");
    EXPECT_THAT(got->service("inner", "volumes"), HasSubstr("'/p/sub/v'"));
    EXPECT_EQ(got->service("one", "image"), "'one:9'");
    EXPECT_THAT(got->service("one", "volumes"), HasSubstr("'/p/base/d'"));
}

TEST(Load, NamesTheCircleOfIncludes) {
    EXPECT_THAT(
        load(MemoryFiles({{"/p/compose.yaml", "include: [two.yaml]\nservices: {a: {image: x}}"},
                          {"/p/two.yaml", "include: [compose.yaml]\n"}}))
            ->text,
        HasSubstr("two.yaml:1:11: include[0]: include cycle: compose.yaml includes two.yaml includes compose.yaml"));
    EXPECT_THAT(load("include:\n  - no.yaml\nservices: {a: {image: x}}")->text,
                HasSubstr("compose.yaml:2:5: include[0]: Compose file no.yaml not found"));
}

TEST(Load, ReadsEachFileOnce) {
    std::string yaml = "services:\n";
    for (int i = 0; i < 50; ++i)
        yaml += fmt::format("  s{}: {{image: x, env_file: c.env, extends: {{file: base.yaml, service: b}}}}\n", i);
    MemoryFiles files({{"/p/compose.yaml", yaml}, {"/p/c.env", "A=1"}, {"/p/base.yaml", "services: {b: {image: y}}"}});
    LoadRequest request;
    request.working_directory = "/p";
    Diagnostics findings;
    (void)load_project(request, files, findings);
    EXPECT_EQ(text_of(findings), "");
    EXPECT_EQ(files.reads["/p/c.env"], 1);
    EXPECT_EQ(files.reads["/p/base.yaml"], 1);
}

TEST(FindProjectName, NeedsNoValidFile) {
    LoadRequest request;
    request.working_directory = "/p";
    MemoryFiles none;
    EXPECT_EQ(find_project_name(request, none), std::nullopt);
    MemoryFiles files({{"/p/compose.yaml", "name: shop\nservices: {a: {nonsense: 1}}"}});
    EXPECT_EQ(find_project_name(request, files), "shop");
    request.project_name = "other";
    EXPECT_EQ(find_project_name(request, none), "other");
}

}  // namespace
}  // namespace compose
