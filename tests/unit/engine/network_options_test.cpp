#include "engine/network_options.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "engine/endpoint_options.hpp"

namespace compose::engine {
namespace {

using Options = std::map<std::string, std::string>;

Network network(const std::string& driver, const Options& options) {
    Network out;
    out.name = "lan";
    out.driver = driver;
    out.driver_opts = options;
    return out;
}

std::string refusal(const Network& wanted) {
    try {
        (void)network_options(wanted);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

TEST(NetworkOptions, EachDriverHasItsOwn) {
    EXPECT_EQ(network_options(network("", {})), Options{});
    EXPECT_EQ(network_options(network("macvlan", {{"parent", "eth0"}})),
              (Options{{"parent", "eth0"}, {"mode", "bridge"}}));
    EXPECT_EQ(
        network_options(network("macvlan", {{"macvlan_mode", "vepa"}, {"com.docker.network.driver.mtu", "1400"}})),
        (Options{{"mode", "vepa"}, {"mtu", "1400"}}));
    EXPECT_EQ(network_options(network("ipvlan", {{"parent", "eth0.50"}, {"ipvlan_flag", "private"}})),
              (Options{{"parent", "eth0.50"}, {"mode", "l2"}, {"flag", "private"}}));
    EXPECT_NE(refusal(network("", {{"parent", "eth0"}})), "");
    EXPECT_NE(refusal(network("macvlan", {{"ipvlan_mode", "l2"}})), "");
    EXPECT_NE(refusal(network("macvlan", {{"macvlan_mode", "l2"}})), "");
    EXPECT_NE(refusal(network("macvlan", {{"parent", "../eth0"}})), "");
    EXPECT_NE(refusal(network("ipvlan", {{"ipvlan_flag", "passthru"}})), "");
}

TEST(NetworkOptions, IsolatedGatewaysAreOfInternalNetworks) {
    Network inner = network("bridge", {{"com.docker.network.bridge.gateway_mode_ipv4", "isolated"}});
    EXPECT_NE(refusal(inner).find("needs internal: true"), std::string::npos);
    inner.internal = true;
    EXPECT_EQ(network_options(inner), (Options{{"gateway_mode", "isolated"}}));
}

TEST(NetworkOptions, AreWrittenInAllTheWaysOfDockers) {
    const std::string bridge = "com.docker.network.bridge.";
    EXPECT_EQ(network_options(network("bridge", {{"com.docker.network.driver.mtu", "0"}})), Options{});
    EXPECT_EQ(network_options(network("bridge", {{bridge + "enable_icc", "F"}, {bridge + "inhibit_ipv4", "TRUE"}})),
              (Options{{"icc", "false"}, {"inhibit", "true"}}));
    EXPECT_EQ(network_options(network("bridge", {{bridge + "host_binding_ipv4", "FD00::0:1"}})),
              (Options{{"host_binding", "fd00::1"}}));
    EXPECT_EQ(network_options(network("bridge", {{"com.docker.network.host_ipv4", "198.51.100.7"},
                                                 {"com.docker.network.host_ipv6", "2001:db8:0::7"}})),
              (Options{{"source", "198.51.100.7"}, {"source6", "2001:db8::7"}}));
    EXPECT_NE(refusal(network("bridge", {{"com.docker.network.host_ipv4", "2001:db8::7"}})), "");
    EXPECT_NE(refusal(network("bridge", {{"com.docker.network.host_ipv6", "::"}})), "");
    EXPECT_NE(refusal(network("bridge", {{bridge + "host_binding_ipv4", "eth0"}})), "");
    EXPECT_NE(refusal(network("bridge", {{bridge + "enable_icc", "yes"}})), "");
}

TEST(EndpointOptions, NameAndSysctls) {
    NetworkAttachment attachment;
    attachment.driver_opts = {
        {kEndpointName, "wan0"},
        {kEndpointSysctls, "net.ipv4.conf.IFNAME.log_martians=1, net.ipv6.conf.IFNAME.accept_ra=2"},
        {"com.example", "ignored"}};
    const auto options = endpoint_options(attachment);
    EXPECT_EQ(options.interface_name, "wan0");
    EXPECT_EQ(options.sysctls,
              (std::vector<std::string>{"net.ipv4.conf.IFNAME.log_martians=1", "net.ipv6.conf.IFNAME.accept_ra=2"}));
    attachment.interface_name = "wan0";
    EXPECT_NO_THROW((void)endpoint_options(attachment));
    attachment.interface_name = "lan0";
    EXPECT_THROW((void)endpoint_options(attachment), Error);
}

TEST(EndpointOptions, OnlySysctlsOfTheInterface) {
    for (const char* bad : {"", "net.ipv4.conf.IFNAME.x", "net.ipv4.conf.all.x=1", "net.ipv4.conf.IFNAME.x.y=1",
                            "net.ipv4.conf.IFNAME.=1", "net.ipv4.conf.IFNAME...=1", "net.ipv4.conf.IFNAME.a/b=1",
                            "net.ipv4.ip_forward=1", "net.unix.conf.IFNAME.x=1", "net.ipv4.route.IFNAME.x=1",
                            "kernel.ipv4.conf.IFNAME.x=1", "net.ipv4.conf.IFNAME.x=1\n2"}) {
        NetworkAttachment attachment;
        attachment.driver_opts = {{kEndpointSysctls, bad}};
        EXPECT_THROW((void)endpoint_options(attachment), Error) << bad;
    }
}

}  // namespace
}  // namespace compose::engine
