#include "model/host_ports.hpp"

#include <gtest/gtest.h>

namespace compose {
namespace {

Network network_of(const std::string& name, std::map<std::string, std::string> options = {}, bool ipv6 = false) {
    Network network;
    network.key = network.name = name;
    network.enable_ipv6 = ipv6;
    network.driver_opts = std::move(options);
    return network;
}

struct Case {
    Project project;
    Service service;

    explicit Case(std::vector<Network> networks) {
        for (Network& network : networks) {
            NetworkAttachment attachment;
            attachment.network = network.name;
            service.networks.push_back(attachment);
            project.networks.emplace(network.name, std::move(network));
        }
    }
    // "46", "4", "6" or "": the families of the host's addresses on which ports are taken.
    [[nodiscard]] std::string families() const {
        const HostFamilies found = host_families(project, service);
        return std::string(found.ipv4 ? "4" : "") + (found.ipv6 ? "6" : "");
    }
};

TEST(HostPorts, RoutedFamiliesTakeNone) {
    EXPECT_EQ(Case({}).families(), "46");
    EXPECT_EQ(Case({network_of("a")}).families(), "46");
    EXPECT_EQ(Case({network_of("a", {{kGatewayMode4, "routed"}})}).families(), "") << "IPv4 would answer for both";
    EXPECT_EQ(Case({network_of("a", {{kGatewayMode6, "routed"}}, true)}).families(), "4");
    EXPECT_EQ(Case({network_of("a", {{kGatewayMode4, "routed"}}, true)}).families(), "6");
    EXPECT_EQ(Case({network_of("a", {{kGatewayMode4, "nat-unprotected"}})}).families(), "46");
    Network six = network_of("a", {{kGatewayMode6, "routed"}}, true);
    six.enable_ipv4 = false;
    EXPECT_EQ(Case({six}).families(), "");
}

TEST(HostPorts, TheNetworkOfTheDefaultRouteDecides) {
    const Network open = network_of("a", {{kGatewayMode4, "routed"}});
    EXPECT_EQ(Case({open, network_of("b")}).families(), "") << "the first by name";
    Case other({open, network_of("b")});
    other.service.networks[1].gw_priority = 1;
    EXPECT_EQ(other.families(), "46");
    Network inner = open;
    inner.internal = true;
    EXPECT_EQ(Case({inner, network_of("b")}).families(), "46");
    // Out of reach of the host: the bridge comes after it.
    Network stacked = network_of("0");
    stacked.driver = "macvlan";
    EXPECT_EQ(Case({stacked}).families(), "");
    EXPECT_EQ(Case({stacked, open}).families(), "");
    EXPECT_EQ(Case({stacked, network_of("b")}).families(), "46");
}

TEST(HostPorts, TheNetworkSaysOnWhichAddress) {
    const auto taken = [](const std::string& binding, const std::string& written) {
        const Case one({network_of("a", {{kHostBinding, binding}}), network_of("b", {{kHostBinding, "10.0.0.9"}})});
        Port port;
        port.host_ip = written;
        return on_host(port, host_families(one.project, one.service))->host_ip;
    };
    EXPECT_EQ(taken("127.0.0.1", ""), "127.0.0.1");
    EXPECT_EQ(taken("::1", ""), "::1");
    EXPECT_EQ(taken("127.0.0.1", "10.0.0.1"), "10.0.0.1") << "the port's own wins";
    EXPECT_EQ(taken("0.0.0.0", ""), "") << "of both families, in this place";
}

TEST(HostPorts, APortIsTakenOfOneFamily) {
    Port port;
    port.published_first = 8080;
    EXPECT_EQ(on_host(port, {true, true})->host_ip, "");
    EXPECT_EQ(on_host(port, {true, false})->host_ip, "0.0.0.0");
    EXPECT_EQ(on_host(port, {false, true})->host_ip, "::");
    EXPECT_FALSE(on_host(port, {false, false}));
    EXPECT_TRUE(has_no_effect(port, {false, false}));
    EXPECT_FALSE(has_no_effect(port, {true, false}));
    port.published_first = 0;
    EXPECT_FALSE(has_no_effect(port, {false, false})) << "a container's port says no more than that it is open";
    port.host_ip = "[::1]";
    EXPECT_TRUE(has_no_effect(port, {true, false}));
    EXPECT_FALSE(on_host(port, {true, false}));
    EXPECT_EQ(on_host(port, {false, true})->host_ip, "::1");
}

}  // namespace
}  // namespace compose
