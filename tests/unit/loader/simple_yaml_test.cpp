#include "loader/simple_yaml.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tree_text.hpp"

namespace compose {
namespace {

/// A tree with the place and kind of everything in it.
void describe(const Node& node, std::string& out, int depth = 0) {
    out += fmt::format("{} {}:{} q{} t{}", flow(node).substr(0, 80), node.pos.line, node.pos.column, node.quoted,
                       static_cast<int>(node.tag));
    for (const auto& entry : node.entries) {
        out += fmt::format("\n{:{}}{} {}:{} = ", "", depth + 1, entry.key, entry.key_pos.line, entry.key_pos.column);
        describe(entry.value, out, depth + 1);
    }
    for (auto item : node.items) {
        if (item.is_null()) item.pos = {};  // the full parser names the line after
        out += fmt::format("\n{:{}}- ", "", depth + 1);
        describe(item, out, depth + 1);
    }
}

std::string read(const std::string& text, bool quick) {
    Diagnostics findings;
    const auto file = findings.sources.add("c.yaml", text);
    YamlOptions options;
    options.quick = quick;
    std::string out;
    for (const auto& document : read_yaml(file, findings, options)) {
        describe(document, out);
        out += "\n";
    }
    return out + text_of(findings);
}

bool is_simple(const std::string& text) {
    Diagnostics findings;
    const YamlOptions options;
    YamlBuilder builder(findings.sources, options);
    try {
        return read_simple_yaml(text, 0, builder);
    } catch (const YamlAbort&) {
        return true;  // simple, and wrong
    }
}

const std::vector<std::string>& simple_texts() {
    static const std::vector<std::string> texts{
        "a: 1\nb: two words # c\nc: 'it''s'\nd: \"t\\tab \\u00e9\\\\\"\n",
        "a:\n  b:\n    c: d\n  e: f\ng: h\n",
        "a:\n- 1\n- 2\nb:\n  - x\n  -\n  - y: 1\n    z: 2\n  - - p\n    - q\n",
        "# c\n\na: # c\n\n  # c\n  b: 1\n\n# c\nc:\n",
        "a:\nb:\nc:",
        "a: [x, 'y', \"z\", 1, {b: c, d: [e]}, ]\nf: {}\ng: []\nh: {i: , j: k}\n",
        "a: [\n  x, # c\n  y,\n]\nb: {\n  c: d\n}\n",
        "{\"a\": [1, true, null], \"b\": {\"c\":\"d\"}}\n",
        "x: &x\n  a: 1\ny: *x\nz:\n  <<: *x\n  b: 2\nl: &l [1]\nm: [*l, &n q, *n]\n",
        "a: !reset null\nb: !override [x]\nc: !override\n  d: 1\ne: !!str 1\nf: !reset\n",
        "a: |\n  one\n   two\n\n  three\nb: |-\n    x\n    y\nc: |+\n  z\n\nd: 1\n",
        "a: |\n  last\n",
        "a: |\n  no end of line",
        "a: http://x/y\nb: a#b\nc: -x\nd: a:b\ne: \"a: b\"\nf: x@y\n\"q\": 1\n'r' : 2\ns t: 3\n",
        "- a\n- b: 1\n  c: 2\n-   d: 3\n    e: 4\n",
        "a:\n  - b:\n      - c\n    d: e\n",
        "  a: 1\n  b: 2\n",
        "a:\n  b: 1\n\n\n  c: 2\n",
        "a: ${X:-y}\nb: $$x\nc: [$A, \"${B:-{}}\"]\n",
    };
    return texts;
}

const std::vector<std::string>& other_texts() {
    static const std::vector<std::string> texts{
        "a: one\n  two\n",
        "a: >\n  x\n  y\n",
        "a: \"x\n  y\"\n",
        "? a\n: b\n",
        "a: 1\n---\nb: 2\n",
        "%YAML 1.1\n---\na: 1\n",
        "a: b: c\n",
        "a:\n\tb: 1\n",
        "a: [x\n",
        "a:\n  b: 1\n c: 2\n",
        "a: 1\n  b: 2\n",
        "a: *none\n",
        "a: &x\n",
        "",
        "# c\n",
        "just text\n",
        "a: [b: c]\n",
        "a: |2\n   x\n",
        "a: \"x\n",
        "- a\nb: c\n",
        "a: 'x' y\n",
        "a: \"\\q\"\n",
        "a: |\n  x\n y\n",
        "a: |\n   x\n  y\nb: 1\n",
        "a: @x\n",
        "a: %x\n",
        "a: x # c\n  y\n",
        "a:\n  - x\n  y: 1\n",
        "a: {b, c}\n",
        "a: [b\n  c]\n",
        "a: -\n",
        "a: |\n\n\n  x\n",
        "a: |\n    \n  x\n",
        "a:\n- b\n  - c\n",
        "a: !<x> b\n",
        "a: [,]\n",
        "a: {b: c\n",
        "a: &x &y z\n",
        "a : b\n : c\n",
        "&a b: c\n",
        "- &a b: c\n",
    };
    return texts;
}

TEST(SimpleYaml, ReadsWhatFilesAreMostlyWrittenIn) {
    for (const auto& text : simple_texts()) EXPECT_TRUE(is_simple(text)) << text;
}

TEST(SimpleYaml, GivesTheTreesOfTheFullParser) {
    for (const auto* texts : {&simple_texts(), &other_texts()})
        for (const auto& text : *texts) EXPECT_EQ(read(text, true), read(text, false)) << text;
}

// Every beginning of a text, and every text with one character changed, is either read the same or left alone.
TEST(SimpleYaml, NeverDisagreesOnDamagedTexts) {
    static constexpr std::string_view kDamage = " \n:-#'\"[]{}&*!|,x";
    int compared = 0;
    for (const auto* texts : {&simple_texts(), &other_texts()}) {
        for (const auto& text : *texts) {
            for (std::size_t i = 0; i < text.size(); ++i) {
                for (const char c : kDamage) {
                    auto damaged = text;
                    damaged[i] = c;
                    if (!is_simple(damaged)) continue;
                    ++compared;
                    EXPECT_EQ(read(damaged, true), read(damaged, false)) << "---\n" << damaged << "---";
                }
                const auto part = text.substr(0, i);
                EXPECT_EQ(read(part, true), read(part, false)) << "---\n" << part << "---";
            }
        }
    }
    EXPECT_GT(compared, 1000);
}

TEST(SimpleYaml, ReadsCharactersBeyondSixteenBitsAsJsonWritesThem) {
    EXPECT_EQ(read("{\"a\": \"\\ud83d\\ude00\"}\n", true),
              "{a: '\xF0\x9F\x98\x80'} 1:1 qfalse t0\n a 1:2 = '\xF0\x9F\x98\x80' 1:7 qtrue t0\n");
}

}  // namespace
}  // namespace compose
