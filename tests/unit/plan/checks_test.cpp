// What the planner finds before anything is done.
#include <gtest/gtest.h>

#include "fixture.hpp"
#include "model/host_ports.hpp"

namespace compose::test {
namespace {

using Lines = std::vector<std::string>;

NetworkAttachment attachment_of(const std::string& network, const std::string& ipv4, const std::string& ipv6) {
    NetworkAttachment attachment;
    attachment.network = network;
    attachment.ipv4_address = ipv4;
    attachment.ipv6_address = ipv6;
    return attachment;
}

Port port_of(std::uint16_t number) {
    Port port;
    port.published = true;
    port.published_first = port.published_last = number;
    port.target = 80;
    return port;
}

TEST(PlanChecks, TwoContainersDoNotAskForOneAddress) {
    World w;
    w.add("a").networks = {attachment_of("lan", "", "fd00::1")};
    w.add("b").networks = {attachment_of("lan", "", "fd00:0::01")};
    w.project.networks["lan"].key = w.project.networks["lan"].name = "lan";
    EXPECT_EQ(w.findings(), (Lines{"services.b.networks.lan: address fd00:0::01 for container p-b-1 is taken by "
                                   "container p-a-1"}));
    w.project.services["b"].networks[0].ipv6_address = "fd00::2";
    EXPECT_TRUE(w.findings().empty());
    // In another network it is another address.
    w.project.networks["dmz"].key = w.project.networks["dmz"].name = "dmz";
    w.project.services["b"].networks = {attachment_of("dmz", "", "fd00::1")};
    EXPECT_TRUE(w.findings().empty());
    w.project.services["b"].networks = {attachment_of("dmz", "10.0.0.9", "")};
    w.options.scale["b"] = 2;
    EXPECT_EQ(w.findings(), (Lines{"services.b.networks.dmz: address 10.0.0.9 for container p-b-2 is taken by "
                                   "container p-b-1"}));
}

TEST(PlanChecks, RoutedNetworksTakeNoHostPorts) {
    World w;
    for (const char* name : {"a", "b"}) {
        Service& service = w.add(name);
        service.networks = {attachment_of("lan", "", "")};
        service.ports.push_back(port_of(8080));
    }
    Network& lan = w.project.networks["lan"];
    lan.key = lan.name = "lan";
    EXPECT_EQ(w.findings().size(), 1U);
    lan.driver_opts[kGatewayMode4] = "routed";
    EXPECT_TRUE(w.findings().empty());
    lan.enable_ipv6 = true;
    EXPECT_EQ(w.findings(), (Lines{"services.b.ports[0]: host port [::]:8080/tcp for container p-b-1 is taken by "
                                   "container p-a-1"}));
}

}  // namespace
}  // namespace compose::test
