// Keys, filters and numbers of commands about containers.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cli/attach_streams.hpp"
#include "cli/line_filter.hpp"
#include "cli/render_stats.hpp"

namespace compose::cli {
namespace {

TEST(DetachKeys, AreBytesOfTheTerminal) {
    EXPECT_EQ(parse_detach_keys("ctrl-p,ctrl-q"), "\x10\x11");
    EXPECT_EQ(parse_detach_keys("a,ctrl-C,b"),
              "a\x03"
              "b");
    EXPECT_EQ(parse_detach_keys(""), "");
    EXPECT_THROW((void)parse_detach_keys("ctrl-"), Error);
    EXPECT_THROW((void)parse_detach_keys("alt-x"), Error);
    EXPECT_THROW((void)parse_detach_keys("a,,b"), Error);
}

TEST(LineFilter, MatchesAsGrepDoes) {
    EXPECT_TRUE(LineFilter("err(or)?", false).matches("an err"));
    EXPECT_FALSE(LineFilter("err(or)?", false).matches("an ERROR"));
    EXPECT_TRUE(LineFilter("err(or)?", true).matches("an ERROR"));
    EXPECT_TRUE(LineFilter("^$", false).matches(""));
    // What comes after the end of the text is none of its business.
    const std::string text = "abc";
    EXPECT_FALSE(LineFilter("c$", false).matches(std::string_view(text).substr(0, 2)));
    EXPECT_THROW(LineFilter("(", false), Error);
}

TEST(LineFilter, SeesLongLinesWhole) {
    const std::string far = "begin " + std::string(500'000, 'x') + " end";
    EXPECT_TRUE(LineFilter("begin.*end", false).matches(far));
    EXPECT_TRUE(LineFilter("^begin x+ end$|^nothing$", false).matches(far));
    EXPECT_FALSE(LineFilter("begin.*end.", false).matches(far));
    EXPECT_FALSE(LineFilter("^end", false).matches(far));
    EXPECT_TRUE(LineFilter("(e|n)d$", false).matches(std::string("a\0b\xff end", 8)));
    EXPECT_TRUE(LineFilter("(xx|yy)\\1", false).matches(far));
    EXPECT_FALSE(LineFilter("x.*y", false).matches(std::string(1 << 20, 'x')));
    EXPECT_THROW(LineFilter("a)(b", false), Error);
}

TEST(LineFilter, EndsForHostileLines) {
    const std::string line(50'000, 'a');
    EXPECT_FALSE(LineFilter("(a|aa)+b", false).matches(line));
    EXPECT_TRUE(LineFilter("aab$", false).matches(line + "b"));
    EXPECT_FALSE(LineFilter("^ab", false).matches(line + "b"));
}

TEST(Stats, ReadLikeDockers) {
    EXPECT_EQ(binary_size(0), "0B");
    EXPECT_EQ(binary_size(1536), "1.5KiB");
    EXPECT_EQ(binary_size(3.75 * 1024 * 1024 * 1024), "3.75GiB");
    EXPECT_EQ(decimal_size(1296), "1.3kB");
    ContainerStats before, now;
    before.time = 1'000'000'000;
    now.time = 2'000'000'000;
    now.cpu_ns = 500'000'000;
    now.memory = 1U << 20U;
    now.memory_limit = 4U << 20U;
    const auto listing =
        stats_listing({{.id = "0123456789abcdef", .name = "web", .before = before, .now = now}}, false);
    ASSERT_EQ(listing.rows.size(), 1U);
    EXPECT_EQ(listing.rows[0].at("CPUPerc").as_string(), "50.00%");
    EXPECT_EQ(listing.rows[0].at("MemPerc").as_string(), "25.00%");
    EXPECT_EQ(listing.rows[0].at("MemUsage").as_string(), "1MiB / 4MiB");
    EXPECT_EQ(listing.rows[0].at("ID").as_string(), "0123456789ab");
}

}  // namespace
}  // namespace compose::cli
