#include "loader/units_bind.hpp"

#include <string>

#include <gtest/gtest.h>

namespace compose {
namespace {

std::string converted(const char* text, ScalarType type) {
    auto node = Node::make_string(text, {});
    return convert_scalar(node, type) ? std::string(to_string(node.kind)) + " " + scalar_text(node) : "(no)";
}

TEST(UnitsBind, BringsTextsToTheTypeOfTheSchema) {
    const struct {
        const char* text;
        ScalarType type;
        const char* expected;
    } cases[] = {
        {"yes", ScalarType::boolean, "a boolean true"},
        {"maybe", ScalarType::boolean, "(no)"},
        {"12", ScalarType::integer, "a number 12"},
        {"1.5", ScalarType::integer, "(no)"},
        {"+3", ScalarType::integer, "a number 3"},
        {"9999999999999999999", ScalarType::integer, "(no)"},
        {"0.50", ScalarType::number, "a number 0.5"},
        {"nan", ScalarType::number, "(no)"},
        {"64m", ScalarType::bytes, "a string 67108864"},
        {"-1", ScalarType::bytes, "a string -1"},
        {"-2", ScalarType::bytes, "(no)"},
        {"90s", ScalarType::duration, "a string 1m30s"},
        {"5", ScalarType::duration, "(no)"},
        {"50ms", ScalarType::microseconds, "a number 50000"},
        {"all", ScalarType::count, "a number -1"},
        {"0440", ScalarType::mode, "a string 0440"},
        {"999", ScalarType::mode, "(no)"},
        {"on-failure:3", ScalarType::restart, "a string on-failure:3"},
        {"on-failure:x", ScalarType::restart, "(no)"},
        {"every_1w2d", ScalarType::pull_policy, "a string every_1w2d"},
        {"every_", ScalarType::pull_policy, "(no)"},
        {"every_1d2w", ScalarType::pull_policy, "(no)"},
        {"every_99999d", ScalarType::pull_policy, "(no)"},
        {"every_soon", ScalarType::pull_policy, "(no)"},
        {"1d12h", ScalarType::window, "a string 1d12h"},
        {"-1h", ScalarType::window, "(no)"},
        {"tomorrow", ScalarType::window, "(no)"},
        {"a", ScalarType::container_name, "(no)"},
        {"a_1", ScalarType::container_name, "a string a_1"},
        {"10.0.0.0/33", ScalarType::subnet, "(no)"},
    };
    for (const auto& one : cases) EXPECT_EQ(converted(one.text, one.type), one.expected) << one.text;
}

TEST(UnitsBind, KnowsAddresses) {
    for (const char* good : {"::", "::1", "fd00::5", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "fe80::1%eth0"})
        EXPECT_TRUE(is_ipv6(good)) << good;
    for (const char* bad : {"", ":", ":::", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:"})
        EXPECT_FALSE(is_ipv6(bad)) << bad;
    EXPECT_TRUE(is_ipv4("0.0.0.0"));
    for (const char* bad : {"1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.x", "1.2.3.-4", "1..2.3"})
        EXPECT_FALSE(is_ipv4(bad)) << bad;
    EXPECT_TRUE(is_subnet("fd00::/64"));
    EXPECT_FALSE(is_subnet("10.0.0.0"));
    EXPECT_FALSE(is_subnet("10.0.0.0/"));
}

}  // namespace
}  // namespace compose
