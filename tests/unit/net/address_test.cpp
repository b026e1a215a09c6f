#include "net/address.hpp"

#include <gtest/gtest.h>

#include "net/dns_server.hpp"

namespace compose::net {
namespace {

TEST(Address, Parse) {
    EXPECT_EQ(Ipv4::parse("10.0.0.1"), (Ipv4{0x0a000001}));
    EXPECT_EQ(Ipv4::parse("255.255.255.255")->to_string(), "255.255.255.255");
    for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-1", "1.2.3.04", " 1.2.3.4", "1.2.3.4 ",
                            "1..2.3", "a.b.c.d", "1.2.3.4/8", "0x1.2.3.4", "1.2.3.1000"})
        EXPECT_FALSE(Ipv4::parse(bad)) << bad;
}

TEST(Address, Prefixes) {
    const Prefix net = Prefix::parse("10.1.2.3/16").value();
    EXPECT_EQ(net.to_string(), "10.1.0.0/16");
    EXPECT_EQ(net.first().to_string(), "10.1.0.1");
    EXPECT_EQ(net.last().to_string(), "10.1.255.254");
    EXPECT_EQ(net.broadcast().to_string(), "10.1.255.255");
    EXPECT_TRUE(net.contains(*Ipv4::parse("10.1.200.1")));
    EXPECT_FALSE(net.contains(*Ipv4::parse("10.2.0.1")));
    EXPECT_TRUE(net.overlaps(*Prefix::parse("10.0.0.0/8")));
    EXPECT_TRUE(net.overlaps(*Prefix::parse("10.1.3.0/24")));
    EXPECT_FALSE(net.overlaps(*Prefix::parse("10.2.0.0/16")));
    EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*Ipv4::parse("203.0.113.1")));
    EXPECT_EQ(Prefix::parse("10.0.0.4/31")->first().to_string(), "10.0.0.4");
    EXPECT_EQ(Prefix::parse("10.0.0.4/31")->last().to_string(), "10.0.0.5");
    EXPECT_EQ(Prefix::parse("10.0.0.4/32")->last().to_string(), "10.0.0.4");
    for (const char* bad : {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "/8", "10.0.0.0/-1", "10.0.0.0/08"})
        EXPECT_FALSE(Prefix::parse(bad)) << bad;
}

TEST(Address, Macs) {
    EXPECT_EQ(to_string(mac_of(*Ipv4::parse("10.1.2.3"))), "02:42:0a:01:02:03");
    EXPECT_EQ(parse_mac("02:42:0A:01:02:03"), mac_of(*Ipv4::parse("10.1.2.3")));
    for (const char* bad : {"", "02:42:0a:01:02", "02:42:0a:01:02:0g", "0242.0a01.0203.", "02:42:0a:01:02:03:"})
        EXPECT_FALSE(parse_mac(bad)) << bad;
}

TEST(ResolvConf, HostsFileToContainersFile) {
    const ResolvConf conf = parse_resolv_conf(
        "# by hand\nnameserver 192.0.2.1 # first\nnameserver\t2001:db8::1\n;x\ndomain old.example\n"
        "search a.example b.example\noptions ndots:5 timeout:1\noptions rotate\nnameserver 3.3.3.3\n"
        "nameserver 4.4.4.4\nnonsense\n");
    EXPECT_EQ(conf.nameservers, (std::vector<std::string>{"192.0.2.1", "2001:db8::1", "3.3.3.3"}));
    EXPECT_EQ(render_resolv_conf(conf),
              "nameserver 127.0.0.11\nsearch a.example b.example\noptions timeout:1 rotate ndots:0\n");
    EXPECT_EQ(render_resolv_conf({.nameservers = {}, .search = {"."}, .options = {"ndots:2"}}),
              "nameserver 127.0.0.11\noptions ndots:2\n");
    EXPECT_EQ(render_resolv_conf({.nameservers = {}, .search = {"a\nnameserver 6.6.6.6"}, .options = {}}),
              "nameserver 127.0.0.11\noptions ndots:0\n");
    EXPECT_EQ(parse_resolv_conf("").nameservers.size(), 0U);
}

TEST(Hosts, OnlyWholeLines) {
    const std::string text = render_hosts({{"10.0.0.2", {"web", "web.p_default"}},
                                           {"10.0.0.3", {"bad\nname", "good"}},
                                           {"10.0.0.4\n6.6.6.6", {"evil"}},
                                           {"10.0.0.5", {}}});
    EXPECT_TRUE(text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"));
    EXPECT_TRUE(text.ends_with("ff02::2\tip6-allrouters\n10.0.0.2\tweb web.p_default\n10.0.0.3\tgood\n"));
}

TEST(Address, Ipv6PrefixesAndTheirHosts) {
    const auto prefix = Prefix6::parse("fd00:1:2:3::5/64");
    ASSERT_TRUE(prefix);
    EXPECT_EQ(prefix->to_string(), "fd00:1:2:3::/64");
    EXPECT_EQ(prefix->host(1).to_string(), "fd00:1:2:3::1");
    EXPECT_EQ(prefix->host(0x10002).to_string(), "fd00:1:2:3::1:2");
    EXPECT_TRUE(prefix->contains(*Ipv6::parse("fd00:1:2:3:ffff::9")));
    EXPECT_FALSE(prefix->contains(*Ipv6::parse("fd00:1:2:4::9")));
    for (const char* text : {"", "10.0.0.0/8", "fd00::/129", "fd00::", "fd00::/x", "g::/64", "fe80::1%eth0/64"})
        EXPECT_FALSE(Prefix6::parse(text)) << text;
}

}  // namespace
}  // namespace compose::net
