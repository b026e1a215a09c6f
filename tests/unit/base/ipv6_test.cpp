#include "base/ipv6.hpp"

#include <arpa/inet.h>

#include <random>

#include <gtest/gtest.h>

namespace compose {
namespace {

std::string libc_text(const Ipv6Bytes& bytes) {
    char text[INET6_ADDRSTRLEN] = {};
    return ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
}

std::optional<Ipv6Bytes> libc_bytes(const std::string& text) {
    Ipv6Bytes bytes{};
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
    return bytes;
}

TEST(Ipv6Text, IsReadAndPrintedAsTheCLibraryDoes) {
    std::mt19937 random(7);  // NOLINT: the same addresses each time
    for (int round = 0; round < 20'000; ++round) {
        Ipv6Bytes bytes{};
        const auto zeros = random();  // which groups are
        for (std::size_t i = 0; i < bytes.size(); ++i)
            if ((zeros >> (i / 2) & 1U) != 0) bytes[i] = static_cast<std::uint8_t>(random() % 4 == 0 ? 0xff : random());
        const std::string text = format_ipv6(bytes);
        ASSERT_EQ(text, libc_text(bytes));
        ASSERT_EQ(parse_ipv6(text), bytes) << text;
    }
}

TEST(Ipv6Text, WhatIsNoneIsRefusedAsTheCLibraryDoes) {
    for (const char* text : {"",
                             ":",
                             "::",
                             ":::",
                             "1",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7:8",
                             "1:2:3:4:5:6:7:8:9",
                             "1:2:3:4:5:6:7::",
                             "::2:3:4:5:6:7:8",
                             "1:2:3:4::5:6:7:8",
                             "1::2::3",
                             ":1::2",
                             "1:",
                             "1::2:",
                             "::12345",
                             "::g",
                             "::-1",
                             "::+1",
                             "::1%eth0",
                             "[::1]",
                             " ::1",
                             "::1 ",
                             "::1.2.3.4",
                             "::1.2.3",
                             "::1.2.3.04",
                             "::1.2.3.256",
                             "::1.2.3.4.5",
                             "1.2.3.4",
                             "1.2.3.4::",
                             "::ffff:1.2.3.4",
                             "1:2:3:4:5:6:1.2.3.4",
                             "1:2:3:4:5:6:7:1.2.3.4",
                             "FD00::aBc",
                             "::1.2.3.4:5",
                             "0000:0::0000",
                             "::0x1",
                             "1:2:3:4:5:6::1.2.3.4"})
        EXPECT_EQ(parse_ipv6(text), libc_bytes(text)) << text;
    EXPECT_FALSE(parse_ipv6(std::string_view("::1\0", 4)));
}

TEST(Ipv6Text, OneFormForEach) {
    EXPECT_EQ(canonical_address("FD00:0:0::01"), "fd00::1");
    EXPECT_EQ(canonical_address("[::1]"), "::1");
    EXPECT_EQ(canonical_address("0:0:0:0:0:0:0:0"), "::");
    EXPECT_EQ(canonical_address("10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(canonical_address("[10.0.0.1]"), "[10.0.0.1]");
    EXPECT_EQ(canonical_address(""), "");
}

}  // namespace
}  // namespace compose
