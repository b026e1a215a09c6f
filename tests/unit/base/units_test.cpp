#include "base/units.hpp"

#include <gtest/gtest.h>

#include "base/disk_size.hpp"
#include "base/error.hpp"

namespace compose {
namespace {

using namespace std::chrono_literals;

TEST(ParseBytes, TakesEveryUnit) {
    const std::pair<const char*, Bytes> table[] = {
        {"0", 0},
        {"1024", 1024},
        {"1b", 1},
        {"64k", 64 << 10},
        {"64K", 64 << 10},
        {"2kb", 2 << 10},
        {"512m", 512 << 20},
        {"1.5g", 3 << 29},
        {"10 MiB", 10 << 20},
        {" 7 ", 7},
        {"1t", Bytes{1} << 40},
    };
    for (const auto& [text, bytes] : table) EXPECT_EQ(parse_bytes(text), bytes) << text;
}

TEST(ParseBytes, RefusesWhatIsNoSize) {
    for (const char* text : {"", "m", "-1g", "1.5.5g", "12x", "99999999t", "18446744073709551616", "1 m b", "nan"})
        EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
}

TEST(ParseDuration, FollowsGo) {
    const std::pair<const char*, Duration> table[] = {
        {"0", 0ns},      {"10us", 10us}, {"250ms", 250ms},        {"1m30s", 90s},
        {"1.5h", 90min}, {"-1s", -1s},   {"2h0m0.5s", 7200500ms},
    };
    for (const auto& [text, value] : table) EXPECT_EQ(parse_duration(text), value) << text;
    for (const char* text : {"", "10", "s", "1x", "1m30", "1 s", "--1s", "3000000h"})
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(FormatDuration, FollowsGo) {
    EXPECT_EQ(parse_window("1w1d1h"), 193h);
    EXPECT_EQ(parse_window("90m"), 90min);
    for (const char* text : {"", "w", "1d1w", "-1h", "1", "1x", "99999w", "9999999h"})
        EXPECT_EQ(parse_window(text), std::nullopt) << text;
    EXPECT_EQ(format_duration(0s), "0s");
    EXPECT_EQ(format_duration(90s), "1m30s");
    EXPECT_EQ(format_duration(1h), "1h0m0s");
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(1500ms), "1.5s");
}

TEST(HumanDuration, ReadsLikeDocker) {
    EXPECT_EQ(human_duration(0s), "Less than a second");
    EXPECT_EQ(human_duration(1s), "1 second");
    EXPECT_EQ(human_duration(59s), "59 seconds");
    EXPECT_EQ(human_duration(61s), "About a minute");
    EXPECT_EQ(human_duration(180s), "3 minutes");
    EXPECT_EQ(human_duration(1h), "About an hour");
    EXPECT_EQ(human_duration(5h), "5 hours");
    EXPECT_EQ(human_duration(24h * 3), "3 days");
}

TEST(HumanSize, UsesDecimalUnits) {
    EXPECT_EQ(human_size(0), "0B");
    EXPECT_EQ(human_size(72'800'000), "72.8MB");
    EXPECT_EQ(human_size(1'240'000'000), "1.24GB");
}

TEST(DiskSize, IsWholeBlocksWithinWhatADiskCanHave) {
    EXPECT_EQ(disk_size({}), std::nullopt);
    EXPECT_EQ(disk_size({{"size", "10G"}}), Bytes{10} << 30U);
    EXPECT_EQ(parse_disk_size("16m"), 16 << 20);
    EXPECT_EQ(parse_disk_size("20000001"), 19996672);
    for (const char* text : {"", "x", "-1g", "0", "15m", "16t", "9000000t"})
        EXPECT_THROW((void)parse_disk_size(text), Error) << text;
    EXPECT_THROW((void)disk_size({{"inodes", "5"}}), Error);
}

}  // namespace
}  // namespace compose
