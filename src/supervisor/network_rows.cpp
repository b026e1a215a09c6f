#include "supervisor/network_rows.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "net/bridge_filter.hpp"
#include "store/pools.hpp"

namespace compose::supervisor {
namespace {

template <class T>
T parsed(const std::optional<T>& value, const std::string& text) {
    if (!value) throw make_error("the database holds \"{}\", which is no address", text);
    return *value;
}

std::string option(const store::Network& row, const char* key) {
    const auto found = row.options.find(key);
    return found == row.options.end() ? std::string() : found->second;
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

std::optional<net::Prefix> subnet_of(const store::Network& row) {
    if (row.subnet.empty()) return std::nullopt;
    return parsed(net::Prefix::parse(row.subnet), row.subnet);
}

std::optional<net::Prefix6> subnet6_of(const store::Network& row) {
    const auto found = row.options.find("subnet6");
    if (found == row.options.end() || !row.options.contains("gateway6")) return std::nullopt;
    return parsed(net::Prefix6::parse(found->second), found->second);
}

net::Straight straight_of(const std::string& gateway_mode) {
    if (gateway_mode == "routed") return net::Straight::open_ports;
    if (gateway_mode == "nat-unprotected") return net::Straight::everything;
    return net::Straight::nothing;
}

template <class Address>
std::optional<Address> address_option(const store::Network& row, const char* key) {
    const std::string text = option(row, key);
    if (text.empty()) return std::nullopt;
    return parsed(Address::parse(text), text);
}

std::vector<std::string> trusted_of(const store::Network& row) {
    const std::string names = option(row, "trusted");
    return names.empty() ? std::vector<std::string>{} : split(names, ':');
}

std::vector<store::Pool> further_pools(const store::Network& row, bool ipv6) {
    auto pools = store::pools_of(row, ipv6);
    if (!pools.empty()) pools.erase(pools.begin());
    return pools;
}

net::FirewallNetwork plain_wall(const store::Network& row) {
    return {.bridge = row.bridge,
            .subnet = subnet_of(row),
            .internal = row.internal,
            .masquerade = !row.internal && !is_off(row, "masquerade"),
            .subnet6 = subnet6_of(row),
            .isolated = is_off(row, "icc"),
            .straight = straight_of(option(row, "gateway_mode")),
            .straight6 = straight_of(option(row, "gateway_mode6")),
            .source = address_option<net::Ipv4>(row, "source"),
            .source6 = address_option<net::Ipv6>(row, "source6"),
            .trusted = trusted_of(row)};
}

// "net.ipv4.conf.IFNAME.log_martians=1"; endpoint_options.cpp has checked it.
net::InterfaceSysctl sysctl_of(const std::string& text) {
    const auto equals = text.find('=');
    const auto parts = split(text.substr(0, equals), '.');
    constexpr std::size_t kParts = 5;
    if (equals == std::string::npos || parts.size() != kParts)
        throw make_error("the database holds \"{}\", which is no sysctl", text);
    return {parts[1], parts[2], parts[4], text.substr(equals + 1)};
}

// What is different without a bridge.
void stack(const store::Endpoint& endpoint, const store::Network& network, net::EndpointSpec& spec) {
    spec.stacked = stacked_link(network);
    if (!network.options.contains("mtu")) spec.mtu = 0;
    if (endpoint.mac.empty()) spec.mac = {};  // the parent's
    if (!spec.stacked->mode.starts_with("l3")) return;
    // The host routes for it: there is no neighbour to ask.
    if (spec.gateway) spec.gateway = net::Ipv4{};
    if (spec.gateway6) spec.gateway6 = net::Ipv6{};
}

}  // namespace

net::FirewallNetwork firewall_network(const store::Network& row) {
    net::FirewallNetwork wall = plain_wall(row);
    if (!row.options.contains("more")) return wall;
    for (const auto& pool : further_pools(row, false))
        wall.more.push_back(parsed(net::Prefix::parse(pool.subnet), pool.subnet));
    for (const auto& pool : further_pools(row, true))
        wall.more6.push_back(parsed(net::Prefix6::parse(pool.subnet), pool.subnet));
    return wall;
}

bool is_routed(const store::Network& row) {
    return option(row, "gateway_mode") == "routed" || option(row, "gateway_mode6") == "routed";
}

net::BridgeSpec bridge_of(const store::Network& row) {
    net::BridgeSpec spec{.name = row.bridge,
                         .subnet = subnet_of(row),
                         .gateway = {},
                         .mtu = mtu_of(row),
                         .has_address = option(row, "inhibit") != "true" && option(row, "gateway_mode") != "isolated"};
    if (spec.subnet) spec.gateway = parsed(net::Ipv4::parse(row.gateway), row.gateway);
    if (const auto subnet = subnet6_of(row); subnet && option(row, "gateway_mode6") != "isolated")
        spec.ipv6 = {parsed(net::Ipv6::parse(row.options.at("gateway6")), row.options.at("gateway6")), subnet->length};
    if (!row.options.contains("more")) return spec;
    for (const auto& pool : further_pools(row, false))
        spec.more.push_back({parsed(net::Ipv4::parse(pool.gateway), pool.gateway),
                             parsed(net::Prefix::parse(pool.subnet), pool.subnet).length});
    for (const auto& pool : further_pools(row, true))
        spec.more6.push_back({parsed(net::Ipv6::parse(pool.gateway), pool.gateway),
                              parsed(net::Prefix6::parse(pool.subnet), pool.subnet).length});
    return spec;
}

std::string interface_prefix(const store::Network& row) {
    const std::string prefix = option(row, "interface_prefix");
    return prefix.empty() ? "eth" : prefix;
}

net::StackedLink stacked_link(const store::Network& row) {
    return {row.driver, option(row, "parent"), option(row, "mode"), option(row, "flag")};
}

bool is_ready(const store::Network& row) {
    if (is_stacked(row)) return net::parent_exists(option(row, "parent"));
    return row.driver != "bridge" || net::bridge_exists(row.bridge);
}

void ensure_parent(const store::Network& row) {
    const std::string parent = option(row, "parent");
    // Even when it is there: whoever made it may have been killed before it was raised.
    if (option(row, "made") == "true")
        return in_context([&] { return "network " + row.name; }, [&] { net::make_parent(parent); });
    if (net::parent_exists(parent)) return;
    throw make_error(ErrorKind::not_found, "network {}: its parent interface {} is gone", row.name, parent)
        .with_hint("bring that interface back, or remove the network and make it with another parent");
}

namespace {

// Where an address lies in a further subnet of the network, that one's gateway and length are its own.
void use_home_pool(const store::Network& network, net::EndpointSpec& spec) {
    for (const auto& pool : further_pools(network, false)) {
        const auto subnet = parsed(net::Prefix::parse(pool.subnet), pool.subnet);
        if (!spec.address || !subnet.contains(*spec.address)) continue;
        spec.prefix_length = subnet.length;
        if (spec.gateway) spec.gateway = parsed(net::Ipv4::parse(pool.gateway), pool.gateway);
    }
    for (const auto& pool : further_pools(network, true)) {
        const auto subnet = parsed(net::Prefix6::parse(pool.subnet), pool.subnet);
        if (!spec.address6 || !subnet.contains(*spec.address6)) continue;
        spec.prefix_length6 = subnet.length;
        if (spec.gateway6) spec.gateway6 = parsed(net::Ipv6::parse(pool.gateway), pool.gateway);
    }
}

}  // namespace

net::EndpointSpec interface_of(const store::Endpoint& endpoint, const store::Network& network) {
    constexpr int kFirstIndex = 2;  // 1 is lo
    net::EndpointSpec spec;
    spec.bridge = network.bridge;
    spec.host_name = endpoint.interface;
    spec.container_name =
        endpoint.name.empty() ? interface_prefix(network) + std::to_string(endpoint.number) : endpoint.name;
    spec.index = kFirstIndex + endpoint.index;
    if (const auto subnet = subnet_of(network)) {
        spec.address = parsed(net::Ipv4::parse(endpoint.address), endpoint.address);
        spec.prefix_length = subnet->length;
    }
    spec.mtu = mtu_of(network);
    spec.isolated = is_off(network, "icc");
    for (const std::string& text : endpoint.sysctls) spec.sysctls.push_back(sysctl_of(text));
    const auto subnet6 = subnet6_of(network);
    for (const auto& text : endpoint.link_local) {
        if (text.find(':') == std::string::npos)
            spec.link_local.push_back(parsed(net::Ipv4::parse(text), text));
        else
            spec.address6 = parsed(net::Ipv6::parse(text), text);
    }
    if (!endpoint.mac.empty())
        spec.mac = parsed(net::parse_mac(endpoint.mac), endpoint.mac);
    else if (spec.address)
        spec.mac = net::mac_of(*spec.address);
    else if (spec.address6)
        spec.mac = net::mac_of(*spec.address6);
    if (subnet6) spec.prefix_length6 = subnet6->length;
    if (subnet6 && spec.address6 && endpoint.default_route && !network.internal)
        spec.gateway6 = net::Ipv6::parse(network.options.at("gateway6"));
    if (spec.address && endpoint.default_route && !network.internal)
        spec.gateway = parsed(net::Ipv4::parse(network.gateway), network.gateway);
    if (network.options.contains("more")) use_home_pool(network, spec);
    if (is_stacked(network)) stack(endpoint, network, spec);
    return spec;
}

std::vector<net::EndpointSpec> interfaces_of(std::span<const store::Endpoint> endpoints,
                                             std::span<const store::Network> networks) {
    std::vector<net::EndpointSpec> result;
    bool four = false;
    bool six = false;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        result.push_back(interface_of(endpoints[i], networks[i]));
        four = four || result.back().gateway;
        six = six || result.back().gateway6;
    }
    for (std::size_t i = 0; i < endpoints.size() && !(four && six); ++i) {
        store::Endpoint leading = endpoints[i];
        leading.default_route = true;
        const auto way = interface_of(leading, networks[i]);
        if (!four && way.gateway) result[i].gateway = way.gateway;
        if (!six && way.gateway6) result[i].gateway6 = way.gateway6;
        four = four || way.gateway;
        six = six || way.gateway6;
    }
    return result;
}

void settle_bridge_filter(const store::Store& store) {
    std::vector<std::string> bridges;
    for (const store::Network& row : store.networks(""))
        if (!row.bridge.empty()) bridges.push_back(row.bridge);
    try {
        net::settle_bridge_filter(bridges, store.layout().bridge_filter());
    } catch (const Error& error) {  // a matter of speed only
        log::debug("the filter of bridged packets: {}", error.what());
    }
}

}  // namespace compose::supervisor
