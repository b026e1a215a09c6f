#include "engine/network_options.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/network_pools.hpp"
#include "model/host_ports.hpp"
#include "net/address.hpp"

namespace compose::engine {
namespace {

std::string check_mtu(const std::string& text) {
    int mtu = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mtu);
    if (error == std::errc{} && end == text.data() + text.size() && mtu == 0) return {};  // as if it were not there
    if (error != std::errc{} || end != text.data() + text.size() || mtu < 68 || mtu > 65535)
        throw make_error(ErrorKind::invalid, "{} is no MTU", quote(text));
    return text;
}

std::string check_flag(const std::string& text) {
    static constexpr const char* kTrue[] = {"true", "1", "t", "T", "TRUE", "True"};
    static constexpr const char* kFalse[] = {"false", "0", "f", "F", "FALSE", "False"};
    if (std::find(std::begin(kTrue), std::end(kTrue), text) != std::end(kTrue)) return "true";
    if (std::find(std::begin(kFalse), std::end(kFalse), text) != std::end(kFalse)) return "false";
    throw make_error(ErrorKind::invalid, "{} is neither true nor false", quote(text));
}

// Of either family, whatever the option's name says.
std::string check_address(const std::string& text) {
    const auto address = net::parse_ip(text);
    if (!address) throw make_error(ErrorKind::invalid, "{} is no address", quote(text));
    return net::to_string(*address);
}

template <class Address>
std::string check_source(const std::string& text) {
    const auto address = Address::parse(text);
    if (!address || *address == Address{})
        throw make_error(ErrorKind::invalid, "{} is no {} address of the host", quote(text),
                         std::is_same_v<Address, net::Ipv4> ? "IPv4" : "IPv6");
    return address->to_string();
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
    {"com.docker.network.host_ipv4", "source", check_source<net::Ipv4>},
    {"com.docker.network.host_ipv6", "source6", check_source<net::Ipv6>},
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

}  // namespace

std::map<std::string, std::string> network_options(const Network& network) {
    std::map<std::string, std::string> result;
    if (!network.enable_ipv4 && !network.enable_ipv6)
        throw make_error(ErrorKind::invalid, "network {}: IPv4 or IPv6 must be enabled", network.name)
            .with_hint("enable_ipv6: true, or leave enable_ipv4 away");
    if (!network.enable_ipv4) result["ipv4"] = "false";
    const auto options = options_of_driver(network.driver);
    for (const auto& [key, value] : network.driver_opts) {
        const auto known = std::find_if(options.begin(), options.end(),
                                        [&, &key = key](const Option& option) { return option.key == key; });
        if (known == options.end())
            throw make_error(ErrorKind::invalid, "network {}: option {} is not implemented", network.name, quote(key));
        const std::string checked =
            in_context([&, &key = key] { return fmt::format("network {}: option {}", network.name, key); },
                       [&, &value = value] { return known->check(value); });
        if (known->kept_as != nullptr && !checked.empty()) result[known->kept_as] = checked;
    }
    for (const char* key : {kGatewayMode4, kGatewayMode6})
        if (const auto mode = network.driver_opts.find(key);
            mode != network.driver_opts.end() && mode->second == "isolated" && !network.internal)
            throw make_error(ErrorKind::invalid, "network {}: option {}: isolated needs internal: true", network.name,
                             key);
    if (network.driver == "macvlan") result.emplace("mode", "bridge");
    if (network.driver == "ipvlan") result.emplace("mode", "l2");
    set_pools(network, result);
    return result;
}

}  // namespace compose::engine
