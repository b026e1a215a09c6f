#include "supervisor/network_rows.hpp"

#include <charconv>

#include "base/error.hpp"

namespace compose::supervisor {
namespace {

template <class T>
T parsed(const std::optional<T>& value, const std::string& text) {
    if (!value) throw make_error("the database holds \"{}\", which is no address", text);
    return *value;
}

bool is_off(const store::Network& row, const char* option) {
    const auto found = row.options.find(option);
    return found != row.options.end() && found->second == "false";
}

int mtu_of(const store::Network& row) {
    int mtu = 1500;
    if (const auto found = row.options.find("mtu"); found != row.options.end())
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), mtu);
    return mtu;
}

std::optional<net::Prefix6> subnet6_of(const store::Network& row) {
    const auto found = row.options.find("subnet6");
    if (found == row.options.end() || !row.options.contains("gateway6")) return std::nullopt;
    return parsed(net::Prefix6::parse(found->second), found->second);
}

}  // namespace

net::FirewallNetwork firewall_network(const store::Network& row) {
    return {.bridge = row.bridge,
            .subnet = parsed(net::Prefix::parse(row.subnet), row.subnet),
            .internal = row.internal,
            .masquerade = !row.internal && !is_off(row, "masquerade"),
            .ipv6 = row.options.contains("subnet6"),
            .isolated = is_off(row, "icc")};
}

net::BridgeSpec bridge_of(const store::Network& row) {
    net::BridgeSpec spec{.name = row.bridge,
                         .subnet = parsed(net::Prefix::parse(row.subnet), row.subnet),
                         .gateway = parsed(net::Ipv4::parse(row.gateway), row.gateway),
                         .mtu = mtu_of(row)};
    if (const auto subnet = subnet6_of(row))
        spec.ipv6 = {parsed(net::Ipv6::parse(row.options.at("gateway6")), row.options.at("gateway6")), subnet->length};
    return spec;
}

net::EndpointSpec interface_of(const store::Endpoint& endpoint, const store::Network& network) {
    constexpr int kFirstIndex = 2;  // 1 is lo
    net::EndpointSpec spec;
    spec.bridge = network.bridge;
    spec.host_name = endpoint.interface;
    spec.container_name = endpoint.name.empty() ? fmt::format("eth{}", endpoint.index) : endpoint.name;
    spec.index = kFirstIndex + endpoint.index;
    spec.address = parsed(net::Ipv4::parse(endpoint.address), endpoint.address);
    spec.prefix_length = parsed(net::Prefix::parse(network.subnet), network.subnet).length;
    spec.mac = endpoint.mac.empty() ? net::mac_of(spec.address) : parsed(net::parse_mac(endpoint.mac), endpoint.mac);
    spec.mtu = mtu_of(network);
    spec.isolated = is_off(network, "icc");
    const auto subnet6 = subnet6_of(network);
    for (const auto& text : endpoint.link_local) {
        if (text.find(':') == std::string::npos)
            spec.link_local.push_back(parsed(net::Ipv4::parse(text), text));
        else
            spec.address6 = parsed(net::Ipv6::parse(text), text);
    }
    if (subnet6) spec.prefix_length6 = subnet6->length;
    if (subnet6 && spec.address6 && endpoint.default_route && !network.internal)
        spec.gateway6 = net::Ipv6::parse(network.options.at("gateway6"));
    if (endpoint.default_route && !network.internal)
        spec.gateway = parsed(net::Ipv4::parse(network.gateway), network.gateway);
    return spec;
}

}  // namespace compose::supervisor
