#include "model/canonical.hpp"

#include <initializer_list>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "model/config_hash.hpp"

namespace compose {
namespace {

Node text(std::string value) {
    return Node::make_string(std::move(value), {});
}
Node map(std::initializer_list<std::pair<std::string, Node>> entries) {
    Node out = Node::make_mapping({});
    for (const auto& [key, value] : entries) out.entries.push_back({key, {}, value});
    return out;
}
Node list(std::initializer_list<Node> items) {
    Node out = Node::make_sequence({});
    out.items = items;
    return out;
}
Node real(double value) {
    Node out;
    out.kind = Node::Kind::real;
    out.real = value;
    return out;
}

TEST(Canonical, SortsKeysAndDoublesDollarsOfValuesOnly) {
    const auto root =
        map({{"b$", text("$x")}, {"a", list({Node::make_int(1, {}), Node{}, Node::make_bool(true, {})})}});
    RenderOptions options;
    options.double_dollars = true;
    EXPECT_EQ(render_json(root, options), "{\n  \"a\": [\n    1,\n    null,\n    true\n  ],\n  \"b$\": \"$$x\"\n}");
    EXPECT_EQ(render_compact_json(root), R"({"a":[1,null,true],"b$":"$x"})");
    EXPECT_EQ(render_compact_json(root, {"a"}), R"({"b$":"$x"})");
}

TEST(Canonical, PutsTheKnownSectionsFirstAndExtensionsLast) {
    const auto root = map({{"x-a", text("1")}, {"volumes", text("2")}, {"name", text("3")}, {"aa", text("4")}});
    RenderOptions options;
    options.top_first = {"name", "volumes"};
    EXPECT_EQ(render_yaml(root, options), "name: \"3\"\nvolumes: \"2\"\naa: \"4\"\nx-a: \"1\"\n");
}

TEST(Canonical, WritesNestedListsAndEmptyValues) {
    const auto root =
        map({{"a", list({map({{"k", text("v")}, {"l", list({text("x")})}}), list({text("y")}), list({}), map({})})}});
    EXPECT_EQ(render_yaml(root), "a:\n  - k: v\n    l:\n      - x\n  -\n    - \"y\"\n  - []\n  - {}\n");
    EXPECT_EQ(render_yaml(map({})), "{}\n");
}

TEST(Canonical, QuotesWhatAReaderWouldTakeForSomethingElse) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain"},
        {"a b", "a b"},
        {"no", "\"no\""},
        {"Null", "\"Null\""},
        {"012", "\"012\""},
        {"1e3", "\"1e3\""},
        {"0x1F", "\"0x1F\""},
        {"12:30", "\"12:30\""},
        {"10.0.0.1", "10.0.0.1"},
        {"1.5", "\"1.5\""},
        {"2024-01-01", "\"2024-01-01\""},
        {"a: b", "\"a: b\""},
        {"a #b", "\"a #b\""},
        {"a:", "\"a:\""},
        {"-x", "\"-x\""},
        {"", "\"\""},
        {" x", "\" x\""},
        {"a\tb", "\"a\\tb\""},
        {"a\nb", "|-\n  a\n  b"},
        {"a\n", "|\n  a"},
        {"a\n\n", "|+\n  a\n"},
        {"\na", "\"\\na\""},
        {"\x01", "\"\\u0001\""},
        {"\xC2\x85", "\"\\u0085\""},
        {"*x", "\"*x\""},
        {"$x", "$x"},
        {"%x", "\"%x\""},
    };
    for (const auto& [value, expected] : cases)
        EXPECT_EQ(render_yaml(map({{"k", text(value)}})), std::string("k: ") + expected + "\n") << value;
}

TEST(Canonical, PrintsNumbersLikeGo) {
    EXPECT_EQ(number_text(0.5), "0.5");
    EXPECT_EQ(number_text(1000), "1000");
    EXPECT_EQ(number_text(1e21), "1e+21");
    EXPECT_EQ(number_text(1e-5), "1e-05");
    EXPECT_EQ(number_text(-0.1), "-0.1");
    const auto infinite = map({{"k", real(std::numeric_limits<double>::infinity())}});
    EXPECT_EQ(render_yaml(infinite), "k: .inf\n");
    EXPECT_EQ(render_compact_json(infinite), "{\"k\":\"+Inf\"}");
}

TEST(ConfigHash, IgnoresWhatNeedsNoNewContainer) {
    const auto base = map({{"image", text("a")}, {"environment", map({{"A", text("1")}})}});
    auto other = base;
    other.entries.push_back({"scale", {}, Node::make_int(3, {})});
    other.entries.push_back({"build", {}, map({{"context", text("/x")}})});
    other.entries.push_back({"pull_policy", {}, text("always")});
    other.entries.push_back({"profiles", {}, list({text("x")})});
    other.entries.push_back({"depends_on", {}, map({{"b", map({})}})});
    other.entries.push_back({"deploy", {}, map({{"replicas", Node::make_int(2, {})}})});
    other.entries.push_back({"x-note", {}, text("for people")});
    EXPECT_EQ(service_hash(base), service_hash(other));
    EXPECT_EQ(service_hash(base).size(), 64U);
    for (const char* own : {"x-probe", "x-restart-on-unhealthy"}) {
        auto changed = base;
        changed.entries.push_back({own, {}, text("1")});
        EXPECT_NE(service_hash(base), service_hash(changed)) << own;
    }
}

TEST(ConfigHash, ChangesWithEveryOtherValueButNotWithOrder) {
    const auto base = map({{"image", text("a")}, {"tty", Node::make_bool(true, {})}});
    EXPECT_EQ(service_hash(base), service_hash(map({{"tty", Node::make_bool(true, {})}, {"image", text("a")}})));
    EXPECT_NE(service_hash(base), service_hash(map({{"image", text("b")}, {"tty", Node::make_bool(true, {})}})));
    const auto limits = map({{"replicas", Node::make_int(2, {})}, {"mode", text("replicated")}});
    EXPECT_NE(service_hash(map({{"deploy", limits}})), service_hash(map({})));
    EXPECT_NE(resource_hash(map({{"name", text("a")}})), resource_hash(map({{"name", text("b")}})));
}

}  // namespace
}  // namespace compose
