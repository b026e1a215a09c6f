// What the kernel is asked for, read back from the bytes. The numbers are those of <linux/if_link.h>, written out: a
// test that took them from there would agree with any mistake.
#include "sys/stacked_links.hpp"

#include <cstring>
#include <map>

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace compose::sys {
namespace {

constexpr std::size_t kHeader = 16;  // nlmsghdr
constexpr std::size_t kBody = 16;    // ifinfomsg
constexpr unsigned kName = 3, kAddress = 1, kMtu = 4, kLink = 5, kInfo = 18, kNamespace = 28;
constexpr unsigned kInfoKind = 1, kInfoData = 2;

using Attributes = std::map<unsigned, std::string>;

Attributes read(std::string_view bytes) {
    Attributes out;
    for_each_attribute(bytes, [&](unsigned type, std::string_view value) { out[type] = std::string(value); });
    return out;
}

Attributes read_message(const NetlinkBuffer& buffer) {
    EXPECT_EQ(buffer.count(), 1U);
    std::uint16_t type = 0;
    std::memcpy(&type, buffer.bytes().data() + 4, sizeof type);
    EXPECT_EQ(type, 16) << "RTM_NEWLINK";
    return read(buffer.bytes().substr(kHeader + kBody));
}

template <class Value>
Value number(const std::string& bytes) {
    EXPECT_EQ(bytes.size(), sizeof(Value));
    Value value{};
    std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
    return value;
}

std::string text(const std::string& bytes) {
    return bytes.substr(0, bytes.find('\0'));
}

Attributes data_of(const StackedRequest& request) {
    NetlinkBuffer buffer;
    append_stacked(buffer, request);
    const auto info = read(read_message(buffer).at(kInfo));
    EXPECT_EQ(text(info.at(kInfoKind)), request.kind);
    return read(info.at(kInfoData));
}

TEST(StackedLinks, ASetOfAttributesForMacvlan) {
    NetlinkBuffer buffer;
    append_stacked(buffer, {.kind = "macvlan",
                            .mode = "bridge",
                            .flag = "",
                            .parent = 7,
                            .netns = FdRef(11),
                            .name = "eth0",
                            .mac = {{2, 0, 0, 0, 0, 9}},
                            .mtu = 1400});
    const auto found = read_message(buffer);
    EXPECT_EQ(text(found.at(kName)), "eth0");
    EXPECT_EQ(number<int>(found.at(kLink)), 7);
    EXPECT_EQ(number<int>(found.at(kNamespace)), 11);
    EXPECT_EQ(number<unsigned>(found.at(kMtu)), 1400U);
    EXPECT_EQ(found.at(kAddress), std::string("\x02\0\0\0\0\x09", 6));
    const std::pair<const char*, std::uint32_t> modes[] = {{"private", 1}, {"vepa", 2}, {"bridge", 4}, {"passthru", 8}};
    for (const auto& [mode, wanted] : modes)
        EXPECT_EQ(number<std::uint32_t>(data_of({.kind = "macvlan", .mode = mode, .name = "x"}).at(1)), wanted);
}

TEST(StackedLinks, IpvlanHasAModeAndFlagsAndNoAddress) {
    NetlinkBuffer buffer;
    append_stacked(buffer, {.kind = "ipvlan",
                            .mode = "l2",
                            .flag = "",
                            .parent = 7,
                            .netns = FdRef(11),
                            .name = "eth0",
                            .mac = {{2, 0, 0, 0, 0, 9}}});
    const auto found = read_message(buffer);
    EXPECT_FALSE(found.contains(kAddress)) << "it has its parent's";
    EXPECT_FALSE(found.contains(kMtu)) << "it has its parent's";
    const std::pair<const char*, std::uint16_t> modes[] = {{"l2", 0}, {"l3", 1}, {"l3s", 2}};
    for (const auto& [mode, wanted] : modes) {
        const auto data = data_of({.kind = "ipvlan", .mode = mode, .flag = "bridge", .name = "x"});
        EXPECT_EQ(number<std::uint16_t>(data.at(1)), wanted);
        EXPECT_EQ(number<std::uint16_t>(data.at(2)), 0);
    }
    const std::pair<const char*, std::uint16_t> flags[] = {{"", 0}, {"private", 1}, {"vepa", 2}};
    for (const auto& [flag, wanted] : flags)
        EXPECT_EQ(number<std::uint16_t>(data_of({.kind = "ipvlan", .mode = "l3", .flag = flag, .name = "x"}).at(2)),
                  wanted);
}

TEST(StackedLinks, WhatTheyStandOn) {
    NetlinkBuffer vlan;
    append_vlan(vlan, "eth0.50", 3, 50);
    const auto found = read_message(vlan);
    EXPECT_EQ(text(found.at(kName)), "eth0.50");
    EXPECT_EQ(number<int>(found.at(kLink)), 3);
    const auto info = read(found.at(kInfo));
    EXPECT_EQ(text(info.at(kInfoKind)), "vlan");
    EXPECT_EQ(number<std::uint16_t>(read(info.at(kInfoData)).at(1)), 50);
    NetlinkBuffer dummy;
    append_dummy(dummy, "dm-012345678901");
    EXPECT_EQ(text(read(read_message(dummy).at(kInfo)).at(kInfoKind)), "dummy");
}

TEST(StackedLinks, UnknownWordsAreErrors) {
    NetlinkBuffer buffer;
    EXPECT_THROW(append_stacked(buffer, {.kind = "macvlan", .mode = "l2", .name = "x"}), Error);
    EXPECT_THROW(append_stacked(buffer, {.kind = "ipvlan", .mode = "bridge", .name = "x"}), Error);
    EXPECT_THROW(append_stacked(buffer, {.kind = "ipvlan", .mode = "l2", .flag = "passthru", .name = "x"}), Error);
    EXPECT_THROW(append_stacked(buffer, {.kind = "veth", .mode = "", .name = "x"}), Error);
}

}  // namespace
}  // namespace compose::sys
