// Files that lie elsewhere, as the loader sees them: an address where a path could stand.
#include <compose/load.hpp>
#include <compose/publication.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/scalar_edits.hpp"
#include "loader/secret_scan.hpp"
#include "loader/yaml_reader.hpp"
#include "memory_files.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Loading {
    Diagnostics findings;
    LoadedProject loaded;
    LoadRequest request;
    std::string text() const { return text_of(findings); }
};

void load(Loading& out, MemoryFiles& files, LoadRequest request) {
    request.working_directory = "/home/shop";
    out.loaded = load_project(request, files, out.findings);
    out.request = request;
}

MemoryFiles with_copy() {
    MemoryFiles files({{"/copies/1/compose.yaml", "services: {a: {image: one, volumes: ['./data:/d']}}"},
                       {"/copies/1/.env", "COMPOSE_PROJECT_NAME=stolen\nX=stolen"},
                       {"/home/shop/.env", "X=own"}});
    files.copies["oci://r/app"] = {"/copies/1/compose.yaml", "/copies/1", "oci://r/app/"};
    return files;
}

TEST(Remote, ACopyIsTheProjectsFolderAndOursGivesItsName) {
    auto files = with_copy();
    Loading got;
    LoadRequest request;
    request.files = {"oci://r/app"};
    load(got, files, request);
    EXPECT_EQ(got.text(), "");
    EXPECT_EQ(got.loaded.project.name, "shop");
    EXPECT_EQ(got.loaded.project.working_dir, "/copies/1");
    EXPECT_THAT(got.loaded.project.config_files, ElementsAre("/copies/1/compose.yaml"));
    EXPECT_EQ(got.loaded.project.services.at("a").mounts[0].source, "/copies/1/data");
    EXPECT_EQ(got.loaded.environment.at("X"), "own");
    EXPECT_EQ(files.named.at("oci://r/app"), "/") << "the user names it";
}

TEST(Remote, TheFirstFileOrTheFlagDecidesTheFolder) {
    auto files = with_copy();
    files.add("/home/shop/local.yaml", "services: {b: {image: two, volumes: ['./x:/x']}}");
    LoadRequest request;
    request.files = {"local.yaml", "oci://r/app"};
    Loading first;
    load(first, files, request);
    EXPECT_EQ(first.loaded.project.services.at("a").mounts[0].source, "/home/shop/data");
    request.files = {"oci://r/app", "local.yaml"};
    request.project_directory = "/srv";
    Loading flagged;
    load(flagged, files, request);
    EXPECT_EQ(flagged.loaded.project.services.at("b").mounts[0].source, "/srv/x");
    EXPECT_EQ(flagged.loaded.project.name, "srv");
}

TEST(Remote, TheEnvironmentIsKnownWithoutFetching) {
    auto files = with_copy();
    LoadRequest request;
    request.files = {"oci://r/app"};
    request.working_directory = "/home/shop";
    EXPECT_EQ(find_environment(request, files).at("X"), "own");
    EXPECT_THAT(files.fetched, IsEmpty());
}

TEST(Remote, TheVariableTakesOneAddressOrASeparator) {
    const auto text = [](const std::string& value, const std::string& separator) {
        auto files = with_copy();
        files.copies["oci://r:5000/app:v1"] = files.copies.at("oci://r/app");
        files.add("/home/shop/x.yaml", "services: {x: {image: x}}");
        LoadRequest request;
        request.environment = {{"COMPOSE_FILE", value}};
        if (!separator.empty()) request.environment["COMPOSE_PATH_SEPARATOR"] = separator;
        Loading got;
        load(got, files, request);
        return got.text() + std::to_string(got.loaded.project.config_files.size());
    };
    EXPECT_EQ(text("oci://r:5000/app:v1", ""), "1");
    EXPECT_EQ(text("x.yaml,oci://r:5000/app:v1", ","), "2");
    EXPECT_THAT(text("x.yaml:oci://r:5000/app:v1", ""), HasSubstr("an address has colons of its own"));
}

TEST(Remote, IncludesAndExtendsSayWhereTheyStand) {
    auto files = with_copy();
    files.add("/home/shop/compose.yaml",
              "include: ['oci://r/app']\nservices:\n  b: {extends: {file: 'oci://r/app', service: a}}\n"
              "  c: {extends: {file: 'oci://r/none', service: a}}\n");
    Loading got;
    load(got, files, {});
    EXPECT_EQ(files.named.at("oci://r/app"), "/home/shop");
    EXPECT_THAT(got.text(), HasSubstr("compose.yaml:4:23: services.c.extends.file: \"oci://r/none\" can't be fetched"));
    EXPECT_THAT(got.text(), Not(HasSubstr("services.b")));
    // What was fetched is shown by its address.
    files.add("/copies/1/compose.yaml", "include: ['oci://r/deep']\nservices: {a: {imag: one}}");
    LoadRequest request;
    request.files = {"oci://r/app"};
    Loading bad;
    load(bad, files, request);
    EXPECT_THAT(bad.text(),
                AllOf(HasSubstr("oci://r/app/compose.yaml:2:"), HasSubstr("oci://r/app/compose.yaml:1:11")));
    EXPECT_EQ(files.named.at("oci://r/deep"), "/copies/1") << "a stranger names it";
    // One that includes itself comes to an end.
    files.add("/copies/1/compose.yaml", "include: ['oci://r/app']\nservices: {a: {image: one}}");
    Loading loop;
    load(loop, files, request);
    EXPECT_THAT(loop.text(), HasSubstr("include cycle"));
}

struct Published {
    Publication publication;
    std::string text;
};
Published publish(MemoryFiles files, bool variables) {
    Loading got;
    load(got, files, {});
    Published out;
    out.publication = make_publication(got.loaded, got.request, variables, files, got.findings);
    out.text = got.text();
    return out;
}

TEST(Publication, PathsOfFilesThatComeAlongAreReplaced) {
    const auto out =
        publish(MemoryFiles({{"/home/shop/compose.yaml",
                              "services:\n  a:   # kept\n    image: x\n    env_file:\n      - a.env # one\n"
                              "      - {path: \"b.env\", required: false}\n      - path: 'gone.env'\n"
                              "        required: false\n    extends:\n      file: ./sub/base.yaml\n"
                              "      service: base\n"},
                             {"/home/shop/sub/base.yaml", "services: {base: {image: y, env_file: own.env}}\n"},
                             {"/home/shop/sub/own.env", "O=1"},
                             {"/home/shop/a.env", "A=1"},
                             {"/home/shop/b.env", "B=1"}}),
                true);
    EXPECT_EQ(out.text, "");
    const auto& files = out.publication.files;
    ASSERT_EQ(files.size(), 5U);
    EXPECT_EQ(files[0].name, "compose.yaml");
    EXPECT_EQ(files[1].kind, PublishedFile::Kind::extended);
    std::string expected = files[0].text;
    EXPECT_THAT(expected,
                AllOf(HasSubstr("  a:   # kept\n"), HasSubstr(".env # one\n"),
                      HasSubstr("      file: " + files[1].name + "\n      service: base\n"),
                      HasSubstr(".env, required: false}\n"), Not(HasSubstr("gone")), Not(HasSubstr("b.env"))));
    EXPECT_THAT(files[1].text, AllOf(HasSubstr("base: {image: y, env_file: "), Not(HasSubstr("own.env"))));
    std::vector<std::string> variables;
    for (const auto& file : files)
        if (file.kind == PublishedFile::Kind::variables) variables.push_back(file.text);
    EXPECT_THAT(variables, testing::UnorderedElementsAre("A=1", "B=1", "O=1"));
}

TEST(Publication, WithoutVariablesPathsStayAndPeopleAreTold) {
    const auto out =
        publish(MemoryFiles({{"/home/shop/compose.yaml",
                              "services:\n  a:\n    image: x\n    env_file: a.env\n    environment: ['API_KEY=abcdef', "
                              "'SECRET=${S}', 'MODE=fast', 'PASSWORD=pa$$word']\n    volumes: ['/srv:/srv:ro']\n"
                              "configs: {c: {content: 'x=1'}, d: {content: '${D}'}, e: {file: ./e}}\n"},
                             {"/home/shop/a.env", "A=1"}}),
                false);
    std::vector<std::string> found;
    for (const auto& concern : out.publication.concerns)
        found.push_back(std::to_string(static_cast<int>(concern.kind)) + " " + concern.place + " " + concern.text);
    EXPECT_THAT(found,
                testing::UnorderedElementsAre("0 services.a /srv:/srv", "2 services.a a.env", "3 services.a API_KEY",
                                              "3 services.a PASSWORD", "4 configs.c ", "5 configs.e ./e"));
    EXPECT_EQ(out.publication.files.size(), 1U);
    EXPECT_THAT(out.publication.files[0].text, HasSubstr("env_file: a.env\n"));
}

TEST(ScalarEdits, ExchangesWhatStandsOnOneLine) {
    const auto edited = [](const std::string& yaml) {
        Diagnostics findings;
        const auto file = findings.sources.add("x", yaml);
        const auto documents = read_yaml(file, findings);
        ScalarEdits edits(yaml);
        const auto* node = documents.at(0).find("k");
        return edits.replace(*node, "new") ? edits.result() : "no";
    };
    EXPECT_EQ(edited("a: 1\nk: old path # c\nb: 2\n"), "a: 1\nk: new # c\nb: 2\n");
    EXPECT_EQ(edited("k: 'it''s'\n"), "k: new\n");
    EXPECT_EQ(edited("k: \"a\\\"b\"\n"), "k: new\n");
    EXPECT_EQ(edited("{k: old, b: 2}"), "{k: new, b: 2}");
    EXPECT_EQ(edited("k: &x old\nb: *x\n"), "k: &x new\nb: *x\n");
    EXPECT_EQ(edited("b: &x old\nk: *x\n"), "b: &x old\nk: new\n");
    EXPECT_EQ(edited("k: |\n  old\n"), "no");
    EXPECT_EQ(edited("k: two\n  lines\n"), "no");
    EXPECT_EQ(edited("ä: 1\n\"ü\": 2\nk: ö\n"), "ä: 1\n\"ü\": 2\nk: new\n");
}

std::vector<std::string> types(const std::string& text) {
    std::vector<std::string> out;
    for (const auto& secret : find_secrets(text)) out.push_back(std::to_string(secret.line) + " " + secret.type);
    return out;
}

TEST(SecretScan, KnowsTheFormsOfKeys) {
    EXPECT_THAT(types("x\nAWS_ACCESS_KEY_ID: A3TX1234567890ABCDEF"), ElementsAre("2 AWS Client ID"));
    EXPECT_THAT(types("AWS_SECRET_ACCESS_KEY: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                ElementsAre("1 AWS Secret Key"));
    EXPECT_THAT(types("GITHUB_TOKEN=ghp_1234567890abcdefghijklmnopqrstuvwxyz"), ElementsAre("1 Github authentication"));
    EXPECT_THAT(types("t: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fwpMe'"),
                ElementsAre("1 JSON Web Token"));
    EXPECT_THAT(types("-----BEGIN DSA PRIVATE KEY-----\nabc\n"), ElementsAre("1 Private Key"));
    EXPECT_THAT(types("URL: postgres://app:hunter2@db/app"), ElementsAre("1 Password in an address"));
    EXPECT_THAT(types("URL: postgres://app:${PASSWORD}@db/app\nimage: debian@sha256:" + std::string(64, 'a') +
                      "\nx: ghp_short\nAKIA: AKIAlower\nkey: eyJhbGci\nurl: http://h:80/a@b"),
                IsEmpty());
    const auto found = find_secrets("ghp_1234567890abcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(found.at(0).value, "ghp_1234...");
    EXPECT_EQ(find_secrets(std::string(300, '\n') +
                           [] {
                               std::string text;
                               for (int i = 0; i < 500; ++i) text += "AKIA1234567890ABCDEF\n";
                               return text;
                           }())
                  .size(),
              100U);
}

TEST(SecretScan, NamesOfVariables) {
    for (const char* name : {"MYSQL_ROOT_PASSWORD", "api-key", "ClientSecret", "GITHUB_TOKEN", "AWS_ACCESS_KEY_ID"})
        EXPECT_TRUE(is_called_like_a_secret(name)) << name;
    for (const char* name : {"COLOUR", "PATH", "KEYBOARD", "PASS_THROUGH"})
        EXPECT_FALSE(is_called_like_a_secret(name)) << name;
}

}  // namespace
}  // namespace compose
