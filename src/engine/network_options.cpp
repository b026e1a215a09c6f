#include "engine/network_options.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
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

struct Option {
    std::string_view key;
    const char* kept_as;  // null: elsewhere
    std::string (*check)(const std::string& value);
};
constexpr Option kOptions[] = {
    {"com.docker.network.driver.mtu", "mtu", check_mtu},
    {"com.docker.network.bridge.enable_icc", "icc", check_flag},
    {"com.docker.network.bridge.enable_ip_masquerade", "masquerade", check_flag},
    {kHostBinding, "host_binding", check_address},
    {kBridgeName, nullptr, check_bridge},
};

// Both ends of ip_range and every reserved address must lie in the subnet.
void set_pool(const Network& network, const IpamPool& pool, std::map<std::string, std::string>& out) {
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

}  // namespace

std::map<std::string, std::string> network_options(const Network& network) {
    std::map<std::string, std::string> result;
    for (const auto& [key, value] : network.driver_opts) {
        const auto* const known = std::find_if(std::begin(kOptions), std::end(kOptions),
                                               [&](const Option& option) { return option.key == key; });
        if (known == std::end(kOptions))
            throw make_error(ErrorKind::invalid, "network {}: option {} is not implemented", network.name, quote(key));
        const std::string checked = in_context([&] { return fmt::format("network {}: option {}", network.name, key); },
                                               [&] { return known->check(value); });
        if (known->kept_as != nullptr) result[known->kept_as] = checked;
    }
    if (!network.ipam.empty()) set_pool(network, network.ipam.front(), result);
    return result;
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
