#include <array>
#include <compose/diagnostics.hpp>

#include <gtest/gtest.h>

#include "base/dag.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"

namespace compose {
namespace {

TEST(ShellSplit, KeepsQuotesTogether) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(shell_split("a  b\tc"), (Words{"a", "b", "c"}));
    EXPECT_EQ(shell_split("sh -c 'echo \"x y\"'"), (Words{"sh", "-c", "echo \"x y\""}));
    EXPECT_EQ(shell_split(R"(a\ b "c\"d" '' "")"), (Words{"a b", "c\"d", "", ""}));
    EXPECT_EQ(shell_split("   "), Words{});
    EXPECT_THROW((void)shell_split("sh -c 'open"), Error);
}

TEST(Nearest, FindsTheTypoAndNothingElse) {
    const std::vector<std::string_view> words{"healthcheck", "hostname", "image", "ports"};
    EXPECT_EQ(nearest("heathcheck", words), "healthcheck");
    EXPECT_EQ(nearest("imgae", words), "image");
    EXPECT_EQ(nearest("zzz", words), "");
}

TEST(Utf8, RejectsOverlongAndSurrogates) {
    EXPECT_TRUE(is_valid_utf8("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
    for (const char* bad : {"\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3"})
        EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(Quote, EscapesControlCharacters) {
    EXPECT_EQ(quote("a\"b\n\x1b["), R"("a\"b\n\x1b[")");
}

TEST(Dag, OrdersNeedsFirstAndLowestFirst) {
    const auto result = topological_order({{2}, {}, {1}, {}});
    EXPECT_EQ(result.order, (std::vector<std::size_t>{1, 2, 0, 3}));
    EXPECT_TRUE(result.cycle.empty());
}

TEST(Dag, NamesTheCycle) {
    const auto result = topological_order({{1}, {2}, {1}, {0}});
    EXPECT_TRUE(result.order.empty());
    EXPECT_EQ(result.cycle, (std::vector<std::size_t>{1, 2, 1}));
}

TEST(Dag, AChainOfTenThousandNeedsNoDeepStack) {
    std::vector<std::vector<std::size_t>> edges(10'000);
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) edges[i] = {i + 1};
    const auto result = topological_order(edges);
    ASSERT_EQ(result.order.size(), edges.size());
    EXPECT_EQ(result.order.front(), edges.size() - 1);
}

TEST(Digest, MatchesTheStandardVectors) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Json, LimitsDepth) {
    EXPECT_THROW((void)parse_json(std::string(100'000, '[')), Error);
    EXPECT_THROW((void)parse_json("{\"a\":1} x"), Error);
    EXPECT_EQ(int_or(parse_json("{\"a\": 7}").as_object(), "a", 0), 7);
}

TEST(ErrorText, GathersContextFromTheInside) {
    try {
        in_context([] { return std::string("start container x"); },
                   [] { in_context([] { return std::string("mount"); }, [] { throw Error("no"); }); });
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "start container x: mount: no");
    }
}

TEST(Diagnostics, RendersPlaceLineAndCaret) {
    Diagnostics findings;
    const auto file = findings.sources.add("compose.yaml", "services:\n  web:\n\tports: [\"80a:80\"]\r\n");
    findings.error({file, 3, 9}, "services.web.ports[0]", "\"80a\" is not a port number", "write host:container");
    findings.error({file, 3, 9}, "services.web.ports[0]", "\"80a\" is not a port number", "write host:container");
    findings.warning({file, 1, 1}, "", "first");
    const auto sorted = findings.sorted();
    ASSERT_EQ(sorted.size(), 2U);
    EXPECT_EQ(sorted[0].message, "first");
    EXPECT_EQ(render(sorted[1], findings.sources, false),
              "compose.yaml:3:9: error: services.web.ports[0]: \"80a\" is not a port number\n"
              "    3 |  ports: [\"80a:80\"]\n"
              "      |         ^ write host:container");
}

TEST(Diagnostics, KeepsEscapeSequencesOfTheFileFromTheTerminal) {
    Diagnostics findings;
    const auto file = findings.sources.add("f", "a: \x1b[31m" + std::string(500, 'x'));
    findings.error({file, 1, 400}, "", "no");
    const auto text = render(findings.sorted().at(0), findings.sources, false);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_LT(text.size(), 600U);
}

TEST(Ids, ShortFormsAreNoNumbers) {
    std::array<std::byte, 32> bytes{};
    EXPECT_EQ(object_id(bytes), "a" + std::string(63, '0'));
    bytes[5] = std::byte{0x0f};
    EXPECT_EQ(short_id(object_id(bytes)), "00000000000f");
    bytes.fill(std::byte{0x99});
    EXPECT_EQ(short_id(object_id(bytes)), "d99999999999");
}

}  // namespace
}  // namespace compose
