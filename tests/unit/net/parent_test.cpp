#include "net/parent.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "lab.hpp"
#include "sys/links.hpp"

namespace compose::net {
namespace {

EndpointSpec macvlan(const std::string& parent, const std::string& mode, const std::string& address) {
    EndpointSpec spec;
    spec.container_name = "eth0";
    spec.stacked = StackedLink{"macvlan", parent, mode, ""};
    spec.address = *Ipv4::parse(address);
    spec.prefix_length = 24;
    spec.mtu = 0;
    return spec;
}

void connect(const EndpointSpec& spec, sys::FdRef netns) {
    connect_endpoints(std::span(&spec, 1), netns);
}

TEST(Parent, IsCheckedBeforeAnythingIsMade) {
    lab::run([] {
        ASSERT_TRUE(lab::shell("ip link add up0 type veth peer name up1").ok);
        EXPECT_FALSE(check_parent("macvlan", "up0"));
        const auto kind_of = [](const std::string& parent) {
            try {
                (void)check_parent("macvlan", parent);
            } catch (const Error& error) {
                return error.kind();
            }
            return ErrorKind::usage;
        };
        EXPECT_EQ(kind_of("nosuch"), ErrorKind::not_found);
        EXPECT_EQ(kind_of("nosuch.7"), ErrorKind::not_found);
        for (const char* no_vlan : {"up0.", "up0.0", "up0.4095", "up0.x", "up0.7x", ".7"})
            EXPECT_EQ(kind_of(no_vlan), ErrorKind::not_found) << no_vlan;
        EXPECT_EQ(kind_of("lo"), ErrorKind::invalid);
        sys::Links links;
        for (const char* kind : {"veth", "bridge", "macvlan"}) EXPECT_TRUE(links.knows(kind)) << kind;
        EXPECT_FALSE(links.knows("nosuch-kind"));
        EXPECT_FALSE(lab::shell("ip link show type macvlan").text.find("macvlan") != std::string::npos);
    });
}

TEST(Parent, OnlyWhatCanBeOursIsRemoved) {
    lab::run([] {
        ASSERT_TRUE(lab::shell("ip link add up0 type veth peer name up1").ok);
        remove_parent("up0");
        remove_parent("nosuch");
        EXPECT_TRUE(parent_exists("up0"));
        EXPECT_EQ(dummy_name("macvlan", "0123456789abcdef"), "dm-0123456789ab");
        EXPECT_EQ(dummy_name("ipvlan", "0123456789abcdef"), "di-0123456789ab");
    });
}

TEST(Parent, EndpointsStandOnItAndLeaveNothingBehind) {
    lab::run([] {
        ASSERT_TRUE(lab::shell("ip link add up0 type veth peer name up1 && ip link set up0 up && "
                               "ip link set up1 up")
                        .ok);
        const sys::Fd one = lab::make_netns();
        const sys::Fd two = lab::make_netns();
        connect(macvlan("up0", "bridge", "10.9.0.1"), one);
        connect(macvlan("up0", "bridge", "10.9.0.2"), two);
        EXPECT_TRUE(lab::shell_in(one, "ping -c 1 -W 2 10.9.0.2").ok ||
                    lab::shell_in(one, "busybox ping -c 1 10.9.0.2").ok);
        // The name is taken: the one that has it stays.
        EXPECT_THROW(connect(macvlan("up0", "bridge", "10.9.0.3"), one), Error);
        EXPECT_TRUE(lab::shell_in(one, "ip link show eth0").ok);
        // Something fails after it was made: it goes again.
        EndpointSpec bad = macvlan("up0", "bridge", "10.9.0.4");
        bad.container_name = "eth1";
        bad.sysctls = {{"ipv4", "conf", "nosuch", "1"}};
        EXPECT_THROW(connect(bad, one), Error);
        EXPECT_FALSE(lab::shell_in(one, "ip link show eth1").ok);
        EXPECT_THROW(connect(macvlan("nosuch", "bridge", "10.9.0.3"), lab::make_netns()), Error);
        remove_stacked(one, "lo");
        EXPECT_TRUE(lab::shell_in(one, "ip link show lo").ok) << "it is not one of ours";
        remove_stacked(one, "eth0");
        EXPECT_FALSE(lab::shell_in(one, "ip link show eth0").ok);
    });
}

TEST(Parent, TheKernelsRefusalsInWords) {
    lab::run([] {
        ASSERT_TRUE(lab::shell("ip link add up0 type veth peer name up1 && ip link set up0 up && "
                               "ip link add br0 type bridge && ip link set up1 master br0")
                        .ok);
        const auto refusal = [](const EndpointSpec& spec, sys::FdRef netns) -> std::string {
            try {
                connect(spec, netns);
            } catch (const Error& error) {
                return error.what();
            }
            return "none";
        };
        const sys::Fd one = lab::make_netns();
        const sys::Fd two = lab::make_netns();
        EXPECT_NE(refusal(macvlan("up1", "bridge", "10.9.0.1"), one).find("port of a bridge"), std::string::npos);
        connect(macvlan("up0", "passthru", "10.9.0.1"), one);
        EXPECT_NE(refusal(macvlan("up0", "passthru", "10.9.0.2"), two).find("the only one on its parent"),
                  std::string::npos);
        remove_stacked(one, "eth0");
        EndpointSpec same = macvlan("up0", "bridge", "10.9.0.1");
        same.mac = {2, 0, 0, 0, 0, 1};
        connect(same, one);
        EXPECT_NE(refusal(same, two).find("has that MAC address"), std::string::npos);
    });
}

}  // namespace
}  // namespace compose::net
