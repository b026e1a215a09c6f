#include "loader/expand.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "loader/interpolate.hpp"
#include "loader/yaml_reader.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

const std::map<std::string, std::string> kVariables{{"SET", "value"}, {"EMPTY", ""}, {"TRICK", "${SET}"}, {"_1", "u"}};

std::string expanded(std::string_view text) {
    try {
        return expand(text, [](const std::string& name) -> const std::string* {
            const auto found = kVariables.find(name);
            return found == kVariables.end() ? nullptr : &found->second;
        });
    } catch (const ExpandFailure& failure) {
        return "! " + failure.message;
    }
}

TEST(Expand, KnowsEveryForm) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain"},
        {"$SET-${SET}", "value-value"},
        {"$SET.x $_1", "value.x u"},
        {"[$NONE][${NONE}]", "[][]"},
        {"${SET:-d}${SET-d}${EMPTY:-d}${EMPTY-d}${NONE:-d}${NONE-d}",
         "valuevaluedd"
         "d"},
        {"${NONE:-}", ""},
        {"${NONE:-a b:c-d?e+f}", "a b:c-d?e+f"},
        {"${SET:+y}${EMPTY:+y}${EMPTY+y}${NONE+y}", "yy"},
        {"${SET:?m}${EMPTY?m}", "value"},
        {"${NONE:?say so}", "! required variable NONE is missing a value: say so"},
        {"${EMPTY:?}", "! required variable EMPTY is missing a value"},
        {"${NONE?${SET} first}", "! required variable NONE is missing a value: value first"},
        {"${A:-${B:-${C-last}}}", "last"},
        {"${NONE:-pre-${SET}-$SET-post}", "pre-value-value-post"},
        {"${NONE:-{\"a\": {}}}", "{\"a\": {}}"},
        {"$$SET $${SET} $$$SET", "$SET ${SET} $value"},
        {"${NONE:-$$}", "$"},
        {"$ 5$ $1 $-", "$ 5$ $1 $-"},
        {"${TRICK}", "${SET}"},
        {"${NONE-${TRICK}}", "${SET}"},
        {"${-bad}", "! a variable name has to follow ${"},
        {"${SET", "! the expression has no closing }"},
        {"${SET:-x", "! the expression has no closing }"},
        {"${SET!x}", "! unknown expression"},
        {"${SET:-${}}", "! a variable name has to follow ${"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(expanded(text), expected) << text;
}

TEST(Expand, IsBounded) {
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "${A:-";
    EXPECT_EQ(expanded(deep), "! expressions nest more than 32 deep");
    std::string many;
    for (int i = 0; i < 2'000'000; ++i) many += "$SET";
    EXPECT_EQ(expanded(many), "! the value grows beyond 4 MiB");
}

TEST(Interpolate, PointsIntoTheTextAndWarnsOncePerVariable) {
    Diagnostics findings;
    const auto file = findings.sources.add("c.yaml", "a: \"x-${NOPE}\"\nb: $NOPE\nc: z${!}\n");
    auto root = read_yaml(file, findings).at(0);
    Budget budget;
    Interpolation load{budget};
    interpolate(root, {}, load, findings);
    EXPECT_EQ(text_of(findings),
              "c.yaml:1:7: The \"NOPE\" variable is not set. Defaulting to a blank string.\n"
              "c.yaml:3:5: c: invalid interpolation format \"z${!}\": a variable name has to follow ${\n");
    EXPECT_EQ(root.find("a")->text, "x-");
}

}  // namespace
}  // namespace compose
