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

}  // namespace

net::FirewallNetwork firewall_network(const store::Network& row) {
    return {.bridge = row.bridge,
            .subnet = parsed(net::Prefix::parse(row.subnet), row.subnet),
            .internal = row.internal,
            .masquerade = !row.internal && !is_off(row, "masquerade"),
            .isolated = is_off(row, "icc")};
}

net::BridgeSpec bridge_of(const store::Network& row) {
    return {.name = row.bridge,
            .subnet = parsed(net::Prefix::parse(row.subnet), row.subnet),
            .gateway = parsed(net::Ipv4::parse(row.gateway), row.gateway),
            .mtu = mtu_of(row)};
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
    for (const auto& text : endpoint.link_local) spec.link_local.push_back(parsed(net::Ipv4::parse(text), text));
    if (endpoint.default_route && !network.internal)
        spec.gateway = parsed(net::Ipv4::parse(network.gateway), network.gateway);
    return spec;
}

}  // namespace compose::supervisor
