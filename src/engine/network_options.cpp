#include "engine/network_options.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "model/host_ports.hpp"
#include "net/address.hpp"

namespace compose::engine {
namespace {

constexpr const char* kHostBinding = "com.docker.network.bridge.host_binding_ipv4";

std::string check_mtu(const std::string& text) {
    int mtu = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mtu);
    if (error != std::errc{} || end != text.data() + text.size() || mtu < 68 || mtu > 65535)
        throw make_error(ErrorKind::invalid, "{} is no MTU", quote(text));
    return text;
}

std::string check_flag(const std::string& text) {
    if (text != "true" && text != "false" && text != "1" && text != "0")
        throw make_error(ErrorKind::invalid, "{} is neither true nor false", quote(text));
    return text == "true" || text == "1" ? "true" : "false";
}

std::string check_address(const std::string& text) {
    if (!net::Ipv4::parse(text)) throw make_error(ErrorKind::invalid, "{} is no IPv4 address", quote(text));
    return text;
}

std::string check_bridge(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c > ' ' && c < 127 && c != '/' && c != ':' && c != '%' && c != '"' && c != '*';
    });
    constexpr std::size_t kLongest = 15;
    if (text.empty() || text.size() > kLongest || !plain || text == "." || text == "..")
        throw make_error(ErrorKind::invalid, "{} is no interface name", quote(text));
    return text;
}

std::string one_of(const std::string& text, std::initializer_list<const char*> words, const char* what) {
    for (const char* word : words)
        if (text == word) return text;
    throw make_error(ErrorKind::invalid, "{} is no {}", quote(text), what)
        .with_hint(fmt::format("one of {}", fmt::join(words, ", ")));
}

std::string check_gateway_mode(const std::string& text) {
    return one_of(text, {"nat", "nat-unprotected", "routed", "isolated"}, "gateway mode");
}

// Names are made of it and a number.
std::string check_prefix(const std::string& text) {
    constexpr std::size_t kLongest = 12;
    if (text.size() > kLongest) throw make_error(ErrorKind::invalid, "{} is too long for a prefix", quote(text));
    return check_bridge(text);
}

std::string check_no_default(const std::string& text) {
    if (check_flag(text) == "true")
        throw make_error(ErrorKind::invalid, "the default network is called bridge, and is made when it is needed");
    return text;
}

// "eth0:vxlan.1"
std::string check_interfaces(const std::string& text) {
    if (!text.empty())
        for (const std::string& name : split(text, ':')) check_bridge(name);
    return text;
}

std::string check_macvlan_mode(const std::string& text) {
    return one_of(text, {"bridge", "private", "vepa", "passthru"}, "macvlan mode");
}
std::string check_ipvlan_mode(const std::string& text) {
    return one_of(text, {"l2", "l3", "l3s"}, "ipvlan mode");
}
std::string check_ipvlan_flag(const std::string& text) {
    return one_of(text, {"bridge", "private", "vepa"}, "ipvlan flag");
}
std::string check_parent_name(const std::string& text) {
    return text.empty() ? text : check_bridge(text);
}

struct Option {
    std::string_view key;
    const char* kept_as;  // null: elsewhere
    std::string (*check)(const std::string& value);
};
constexpr Option kOptions[] = {
    {"com.docker.network.driver.mtu", "mtu", check_mtu},
    {"com.docker.network.bridge.enable_icc", "icc", check_flag},
    {"com.docker.network.bridge.enable_ip_masquerade", "masquerade", check_flag},
    {kGatewayMode4, "gateway_mode", check_gateway_mode},
    {kGatewayMode6, "gateway_mode6", check_gateway_mode},
    {"com.docker.network.bridge.inhibit_ipv4", "inhibit", check_flag},
    {"com.docker.network.container_iface_prefix", "interface_prefix", check_prefix},
    {"com.docker.network.bridge.default_bridge", nullptr, check_no_default},
    {"com.docker.network.bridge.trusted_host_interfaces", "trusted", check_interfaces},
    {kHostBinding, "host_binding", check_address},
    {kBridgeName, nullptr, check_bridge},
};

constexpr Option kMacvlanOptions[] = {
    {"parent", "parent", check_parent_name},
    {"macvlan_mode", "mode", check_macvlan_mode},
    {"com.docker.network.driver.mtu", "mtu", check_mtu},
};
constexpr Option kIpvlanOptions[] = {
    {"parent", "parent", check_parent_name},
    {"ipvlan_mode", "mode", check_ipvlan_mode},
    {"ipvlan_flag", "flag", check_ipvlan_flag},
    {"com.docker.network.driver.mtu", "mtu", check_mtu},
};

std::span<const Option> options_of_driver(const std::string& driver) {
    if (driver == "macvlan") return kMacvlanOptions;
    if (driver == "ipvlan") return kIpvlanOptions;
    return kOptions;
}

// Both ends of ip_range and every reserved address must lie in the subnet.
void set_pool(const Network& network, const IpamPool& pool, std::map<std::string, std::string>& out) {
    if (!network.enable_ipv4 && !pool.subnet.empty())
        throw make_error(ErrorKind::invalid, "network {}: subnet {} needs enable_ipv4: true", network.name,
                         pool.subnet);
    const auto subnet = net::Prefix::parse(pool.subnet);
    const auto inside = [&](const std::string& what, const std::string& text, std::optional<net::Ipv4> address) {
        if (!address || !subnet || !subnet->contains(*address))
            throw make_error(ErrorKind::invalid, "network {}: {} {} is not inside of subnet {}", network.name, what,
                             quote(text), pool.subnet.empty() ? "(none given)" : pool.subnet);
    };
    if (!pool.ip_range.empty()) {
        const auto range = net::Prefix::parse(pool.ip_range);
        inside("ip_range", pool.ip_range, range ? std::optional(range->network) : std::nullopt);
        if (range->length < subnet->length) inside("ip_range", pool.ip_range, std::nullopt);
        out["ip_range"] = range->to_string();
    }
    std::vector<std::string> reserved;
    for (const auto& [name, text] : pool.aux_addresses) {
        inside("address " + name, text, net::Ipv4::parse(text));
        reserved.push_back(text);
    }
    if (!reserved.empty()) out["reserved"] = join(reserved, ",");
}

// Addresses are made of the subnet and 32 bits.
void set_pool6(const Network& network, const IpamPool& pool, std::map<std::string, std::string>& out) {
    constexpr int kLongest = 96;
    const auto refuse = [&](const std::string& what) {
        return make_error(ErrorKind::invalid, "network {}: {}", network.name, what);
    };
    if (!network.enable_ipv6) throw refuse("subnet " + pool.subnet + " needs enable_ipv6: true");
    const auto subnet = net::Prefix6::parse(pool.subnet);
    if (!subnet || subnet->length > kLongest)
        throw refuse(quote(pool.subnet) + " is not an IPv6 subnet of a length up to /96, such as fd00:1::/64");
    const auto gateway = pool.gateway.empty() ? subnet->host(1) : net::Ipv6::parse(pool.gateway);
    if (!gateway || !subnet->contains(*gateway))
        throw refuse(quote(pool.gateway) + " is not an address of " + pool.subnet);
    if (!pool.ip_range.empty() || !pool.aux_addresses.empty())
        throw refuse("ip_range and aux_addresses of an IPv6 subnet are not implemented");
    out["subnet6"] = subnet->to_string();
    out["gateway6"] = gateway->to_string();
}

}  // namespace

std::map<std::string, std::string> network_options(const Network& network) {
    std::map<std::string, std::string> result;
    if (!network.enable_ipv4 && !network.enable_ipv6)
        throw make_error(ErrorKind::invalid, "network {}: IPv4 or IPv6 must be enabled", network.name)
            .with_hint("enable_ipv6: true, or leave enable_ipv4 away");
    if (!network.enable_ipv4) result["ipv4"] = "false";
    const auto options = options_of_driver(network.driver);
    for (const auto& [key, value] : network.driver_opts) {
        const auto known =
            std::find_if(options.begin(), options.end(), [&](const Option& option) { return option.key == key; });
        if (known == options.end())
            throw make_error(ErrorKind::invalid, "network {}: option {} is not implemented", network.name, quote(key));
        const std::string checked = in_context([&] { return fmt::format("network {}: option {}", network.name, key); },
                                               [&] { return known->check(value); });
        if (known->kept_as != nullptr) result[known->kept_as] = checked;
    }
    for (const char* key : {kGatewayMode4, kGatewayMode6})
        if (const auto mode = network.driver_opts.find(key);
            mode != network.driver_opts.end() && mode->second == "isolated" && !network.internal)
            throw make_error(ErrorKind::invalid, "network {}: option {}: isolated needs internal: true", network.name,
                             key);
    if (network.driver == "macvlan") result.emplace("mode", "bridge");
    if (network.driver == "ipvlan") result.emplace("mode", "l2");
    if (const IpamPool* pool = pool_of(network, false)) set_pool(network, *pool, result);
    if (const IpamPool* pool = pool_of(network, true)) set_pool6(network, *pool, result);
    return result;
}

const IpamPool* pool_of(const Network& network, bool ipv6) {
    for (const IpamPool& pool : network.ipam)
        if ((pool.subnet.find(':') != std::string::npos) == ipv6) return &pool;
    return nullptr;
}

std::string private_subnet6(const std::string& network_id) {
    return fmt::format("fd{}:{}:{}::/64", network_id.substr(0, 2), network_id.substr(2, 4), network_id.substr(6, 4));
}

std::string choose_address6(const store::Network& network, const std::string& address4, const std::string& wanted,
                            const std::vector<std::string>& taken) {
    const auto option = network.options.find("subnet6");
    if (option == network.options.end()) {
        if (wanted.empty()) return {};
        throw make_error(ErrorKind::invalid, "network {} has no IPv6: address {} can't be given", network.name, wanted);
    }
    const auto subnet = net::Prefix6::parse(option->second);
    if (!subnet) throw make_error("network {} has no usable IPv6 subnet", network.name);
    const auto is_taken = [&](const net::Ipv6& address) {
        const std::string text = address.to_string();
        return text == network.options.at("gateway6") || std::find(taken.begin(), taken.end(), text) != taken.end();
    };
    if (!wanted.empty()) {
        const auto address = net::Ipv6::parse(wanted);
        if (!address || !subnet->contains(*address) || *address == subnet->network)
            throw make_error(ErrorKind::invalid, "address {} is not a host address of network {} ({})", wanted,
                             network.name, option->second);
        if (is_taken(*address))
            throw make_error(ErrorKind::conflict, "address {} in network {} is already in use", wanted, network.name);
        return address->to_string();
    }
    // Unique as the IPv4 address is; only an address that somebody has chosen can be in the way.
    constexpr std::uint32_t kAside = 0x10000000;
    const auto subnet4 = net::Prefix::parse(network.subnet);
    const auto four = net::Ipv4::parse(address4);
    const bool alone = !subnet4 || !four;  // then the lowest that is free
    const std::uint32_t first = alone ? 2 : four->value - subnet4->network.value + 1;
    const std::size_t tries = alone ? taken.size() + 2 : 16;
    for (std::size_t i = 0; i < tries; ++i) {
        const net::Ipv6 address = subnet->host(first + static_cast<std::uint32_t>(i) * (alone ? 1 : kAside));
        if (subnet->contains(address) && !is_taken(address)) return address.to_string();
    }
    throw make_error(ErrorKind::conflict, "network {} has no free IPv6 address left", network.name);
}

std::string host_binding(const Project& project, const Service& service) {
    for (const NetworkAttachment& attachment : service.networks) {
        const auto network = project.networks.find(attachment.network);
        if (network == project.networks.end()) continue;
        const auto option = network->second.driver_opts.find(kHostBinding);
        if (option != network->second.driver_opts.end()) return option->second;
    }
    return {};
}

}  // namespace compose::engine
