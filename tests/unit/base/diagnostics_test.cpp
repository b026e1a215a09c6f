#include <compose/diagnostics.hpp>

#include <gtest/gtest.h>

namespace compose {
namespace {

TEST(Diagnostics, ShowNothingThatATerminalActsUpon) {
    Diagnostics findings;
    const auto file = findings.sources.add("c.yaml",
                                           "a: \x1b[2J\xC2\x9B"
                                           "31m \xE2\x80\xAE"
                                           "b\tc\n");
    findings.error({file, 1, 4}, "x\ny", "bad \x07 value", "write \x7F");
    EXPECT_EQ(render(findings.sorted().at(0), findings.sources, false),
              "c.yaml:1:4: error: x?y: bad ? value\n    1 | a: ?[2J?31m ?b c\n      |    ^ write ?");
}

}  // namespace
}  // namespace compose
