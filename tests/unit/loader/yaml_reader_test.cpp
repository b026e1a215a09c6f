#include "loader/yaml_reader.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tree_text.hpp"

namespace compose {
namespace {

using testing::HasSubstr;

struct Reading {
    Diagnostics findings;
    std::vector<Node> documents;
};

Reading read(std::string text, const YamlOptions& limits = {}) {
    Reading out;
    const auto file = out.findings.sources.add("c.yaml", std::string(without_bom(text)));
    out.documents = read_yaml(file, out.findings, limits);
    return out;
}

struct Case {
    const char* yaml;
    const char* expected;
};

TEST(YamlReader, ReadsEveryStyle) {
    const Case cases[] = {
        {"a: 1\nb: [x, 'y', \"z\"]\nc: {d: e}\n", "{a: 1, b: ['x', 'y', 'z'], c: {d: 'e'}}"},
        {"- 1\n- - 2\n  - 3\n-\n", "[1, [2, 3], null]"},
        {"a:\nb: ~\nc: null\nd: 'null'\ne: nUll", "{a: null, b: null, c: null, d: 'null', e: 'nUll'}"},
        {"a: true\nb: False\nc: yes\nd: on\ne: 'true'", "{a: true, b: false, c: 'yes', d: 'on', e: 'true'}"},
        {"a: 017\nb: 0o17\nc: 0x1F\nd: 0b11\ne: 1_000\nf: -3\ng: +5\nh: 12:30",
         "{a: 15, b: 15, c: 31, d: 3, e: 1000, f: -3, g: 5, h: '12:30'}"},
        {"a: 1.10\nb: .5\nc: 1e3\nd: 1.2.3\ne: 08\nf: 0x\ng: -x",
         "{a: 1.1r, b: 0.5r, c: 1000r, d: '1.2.3', e: 8r, f: '0x', g: '-x'}"},
        {"a: 12345678901234567890\nb: 9223372036854775807\nc: -9223372036854775808",
         "{a: '12345678901234567890', b: 9223372036854775807, c: -9223372036854775808}"},
        {"a: |\n  x\n  y\nb: >-\n  x\n  y\nc: |+\n  x\n\nd: 1", "{a: 'x\ny\n', b: 'x y', c: 'x\n\n', d: 1}"},
        {"a: one\n  two\nb: x#y # c\nc: http://x/y", "{a: 'one two', b: 'x#y', c: 'http://x/y'}"},
        {"{\"a\": [1, {\"b\": \"\\u0041\\n\\/\"}], \"c\": null}", "{a: [1, {b: 'A\n/'}], c: null}"},
        {"a: !!str 1\nb: !!int \"2\"\nc: !!bool \"true\"\nd: !!str", "{a: '1', b: 2, c: true, d: ''}"},
        {"\xEF\xBB\xBF"
         "a: 1",
         "{a: 1}"},
        {"a: |\r\n  x\r\n  y\r\nb: 1\r\n", "{a: 'x\ny\n', b: 1}"},
        {"%YAML 1.1\n---\na: 1\n...\n", "{a: 1}"},
        {"x: &x {a: 1}\ny: *x\nz: [*x, *x]", "{x: {a: 1}, y: {a: 1}, z: [{a: 1}, {a: 1}]}"},
        {"x: &x {a: 1, b: 1}\ny:\n  b: 2\n  <<: *x", "{x: {a: 1, b: 1}, y: {b: 2, a: 1}}"},
        {"x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}", "{x: {a: 1}, y: {a: 2, b: 2}, z: {a: 1, b: 2}}"},
        {"x: &x {a: 1}\ny: {'<<': 1}", "{x: {a: 1}, y: {<<: 1}}"},
    };
    for (const auto& row : cases) {
        const auto got = read(row.yaml);
        EXPECT_EQ(text_of(got.findings), "") << row.yaml;
        ASSERT_EQ(got.documents.size(), 1U) << row.yaml;
        EXPECT_EQ(flow(got.documents[0]), row.expected) << row.yaml;
    }
}

TEST(YamlReader, ReadsSeveralDocuments) {
    const auto got = read("a: 1\n---\nb: 2\n---\n");
    ASSERT_GE(got.documents.size(), 2U);
    EXPECT_EQ(flow(got.documents[1]), "{b: 2}");
}

TEST(YamlReader, KeepsThePlaceOfEveryKeyAndValue) {
    const auto got = read("x: &x\n  k: v\nservices:\n  web:\n    image: app\n    none:\n    alias: *x\n");
    const auto* web = got.documents[0].find("services")->find("web");
    EXPECT_EQ(web->find_entry("image")->key_pos.line, 5U);
    EXPECT_EQ(web->find("image")->pos.column, 12U);
    EXPECT_EQ(web->find("none")->pos, web->find_entry("none")->key_pos) << "a null takes its key's place";
    EXPECT_EQ(web->find("alias")->pos.line, 7U) << "an alias stands where it is written, not at its anchor";
    EXPECT_EQ(web->find("alias")->find("k")->pos.line, 2U);
}

TEST(YamlReader, KeepsTagsThatTheMergeNeeds) {
    const auto got = read("a: !reset null\nb: !override [1]\nc: !reset\n");
    EXPECT_EQ(got.documents[0].find("a")->tag, Node::Tag::reset);
    EXPECT_EQ(got.documents[0].find("b")->tag, Node::Tag::override_);
    EXPECT_EQ(got.documents[0].find("c")->tag, Node::Tag::reset);
}

TEST(YamlReader, SaysWhatIsWrongAndWhere) {
    const Case cases[] = {
        {"a: 1\nb: 2\na: 3\n", "c.yaml:3:1: duplicate key \"a\": already set at c.yaml:1:1\n"},
        {"1: x\n", "c.yaml:1:1: the key 1 is a number, not a string\n"},
        {"[a]: x\n", "c.yaml:1:1: a list cannot be a key\n"},
        {"\"a\\nb\": x\n", "c.yaml:1:1: the key \"a\\nb\" has a control character\n"},
        {"a: &x [1, *x]\n", "c.yaml:1:11: an anchor that contains itself: this alias stands inside its own anchor\n"},
        {"a: 1\n<<: 3\n", "c.yaml:2:5: << takes a mapping or a list of mappings, not a number\n"},
        {"a: x\n\xFF\n", "c.yaml:2:1: the file is not valid UTF-8\n"},
        {"a: x\nb: \x01\n", "c.yaml:2:4: the control character 0x01 is not allowed in YAML\n"},
        {"a: !!int x\n", "c.yaml:1:4: \"x\" is not of type !!int\n"},
    };
    for (const auto& row : cases) EXPECT_EQ(text_of(read(row.yaml).findings), row.expected) << row.yaml;
    EXPECT_THAT(text_of(read(std::string("a: x\0y\n", 7)).findings),
                HasSubstr("c.yaml:1:5: the control character 0x00"));
    EXPECT_THAT(text_of(read("a:\n\tb: 1\n").findings), HasSubstr("c.yaml:2:1: a tab cannot indent"));
    EXPECT_THAT(text_of(read("a:\n  b: 1\n c: 2\n").findings), HasSubstr("c.yaml:3:"));
    EXPECT_THAT(text_of(read("a: *nope\n").findings), HasSubstr("c.yaml:1:"));
    EXPECT_THAT(text_of(read("a: \"x\n").findings), HasSubstr("invalid YAML"));
}

// Families of hostile texts: each ends in one finding, soon.
TEST(YamlReader, RefusesHostileTexts) {
    std::string bomb = "x0: &x0 [l, l, l, l, l, l, l, l, l]\n";
    for (int i = 1; i < 9; ++i) {
        const auto before = fmt::format("*x{}", i - 1);
        bomb += fmt::format("x{}: &x{} [{}", i, i, before);
        for (int k = 0; k < 8; ++k) bomb += ", " + before;
        bomb += "]\n";
    }
    std::string levels;
    for (int i = 0; i < 3000; ++i) levels += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
    const std::pair<std::string, const char*> cases[] = {
        {bomb, "aliases expand to more than"},
        {std::string(10'000, '['), "nested more than 100 levels"},
        {levels, "nested more than 100 levels"},
        {"- " + std::string(20'000, '-') + "\n" + std::string(30'000, ' ') + "x: [", "c.yaml:"},
        {std::string(17U << 20U, 'a'), "larger than 16 MiB"},
    };
    for (const auto& [text, expected] : cases) {
        const auto start = std::chrono::steady_clock::now();
        const auto got = read(text);
        EXPECT_THAT(text_of(got.findings), HasSubstr(expected));
        EXPECT_TRUE(got.documents.empty());
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    }
    YamlOptions small;
    small.nodes = 100;
    std::string many = "a:\n";
    for (int i = 0; i < 200; ++i) many += "- x\n";
    EXPECT_THAT(text_of(read(many, small).findings), HasSubstr("more than 100 values"));
}

}  // namespace
}  // namespace compose
