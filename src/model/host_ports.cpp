#include "model/host_ports.hpp"

#include <tuple>

#include "base/ipv6.hpp"
#include "model/stacked_networks.hpp"

namespace compose {
namespace {

bool is_routed(const Network& network, const char* gateway_mode) {
    const auto mode = network.driver_opts.find(gateway_mode);
    return mode != network.driver_opts.end() && mode->second == "routed";
}

// Where published ports lead: to the network of the default route, or else to the first one with a bridge.
const Network* published_network(const Project& project, const Service& service) {
    struct Choice {
        const Network* network = nullptr;
        const NetworkAttachment* attachment = nullptr;
    };
    Choice leading;
    Choice first;
    for (const NetworkAttachment& attachment : service.networks) {
        const auto found = project.networks.find(attachment.network);
        if (found == project.networks.end() || found->second.internal) continue;
        const Choice choice{&found->second, &attachment};
        const auto by_gateway = [](const Choice& c) { return std::tuple(-c.attachment->gw_priority, c.network->name); };
        const auto by_place = [](const Choice& c) { return std::tuple(-c.attachment->priority, c.network->name); };
        if (leading.network == nullptr || by_gateway(choice) < by_gateway(leading)) leading = choice;
        if (is_stacked_driver(choice.network->driver)) continue;
        if (first.network == nullptr || by_place(choice) < by_place(first)) first = choice;
    }
    return leading.network != nullptr && !is_stacked_driver(leading.network->driver) ? leading.network : first.network;
}

std::string host_binding(const Network& network) {
    const auto option = network.driver_opts.find(kHostBinding);
    if (option == network.driver_opts.end() || option->second == "0.0.0.0") return {};  // all of both families here
    return option->second;
}

}  // namespace

HostFamilies host_families(const Project& project, const Service& service) {
    if (publishes_nothing(project, service)) return {.ipv4 = false, .ipv6 = false};
    const Network* const network = published_network(project, service);
    if (network == nullptr) return HostFamilies{};
    const bool routed4 = is_routed(*network, kGatewayMode4);
    const bool routed6 = is_routed(*network, kGatewayMode6);
    // Where a container lacks a family, the other one answers for it.
    return {.ipv4 = !(network->enable_ipv4 ? routed4 : routed6),
            .ipv6 = !(network->enable_ipv6 ? routed6 : routed4),
            .binding = host_binding(*network)};
}

std::optional<Port> on_host(Port port, HostFamilies families) {
    port.host_ip = canonical_address(port.host_ip.empty() ? families.binding : port.host_ip);
    if (port.host_ip.empty() && families.ipv4 != families.ipv6) port.host_ip = families.ipv4 ? "0.0.0.0" : "::";
    const bool six = port.host_ip.find(':') != std::string::npos;
    if (!(six ? families.ipv6 : families.ipv4)) return std::nullopt;
    return port;
}

bool has_no_effect(const Port& port, HostFamilies families) {
    const std::string address = canonical_address(port.host_ip);
    const bool any = address.empty() || address == "0.0.0.0" || address == "::";
    return (!any || port.published_first != 0) && !on_host(port, families);
}

}  // namespace compose
