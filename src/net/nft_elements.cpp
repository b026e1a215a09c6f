// What networks and published ports add to the sets and maps.
#include <algorithm>
#include <functional>

#include "base/error.hpp"
#include "net/nft_rules.hpp"
#include "net/nft_sets.hpp"

namespace compose::net {

using sys::nft::Element;
using sys::nft::Set;

namespace {

// nft's numbers of its data types, so that `nft list` prints names and addresses instead of bytes.
constexpr std::uint32_t kTypeFamily = 2;
constexpr std::uint32_t kTypeIpv4 = 7;
constexpr std::uint32_t kTypeIpv6 = 8;
constexpr std::uint32_t kTypeProtocol = 12;
constexpr std::uint32_t kTypePort = 13;
constexpr std::uint32_t kTypeInterface = 41;
template <class... Rest>
constexpr std::uint32_t type_list(std::uint32_t first, Rest... rest) {
    ((first = first << 6U | rest), ...);
    return first;
}

std::string name_bytes(const std::string& name) {
    if (name.empty() || name.size() >= kNameSize) throw make_error("\"{}\" is no interface name", name);
    std::string bytes = name;
    bytes.resize(kNameSize);
    return bytes;
}

// Every part of a concatenation fills whole words.
std::string address_bytes(Ipv4 address) {
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<char>(address.value >> shift & 255U));
    return bytes;
}
std::string address_bytes(const Ipv6& address) {
    return {address.bytes.begin(), address.bytes.end()};
}
std::string address_bytes(const IpAddress& address) {
    return std::visit([](const auto& value) { return address_bytes(value); }, address);
}
std::string port_bytes(std::uint16_t port) {
    return {static_cast<char>(port >> 8U), static_cast<char>(port & 255U), '\0', '\0'};
}
std::string protocol_bytes(const std::string& protocol) {
    if (protocol == "tcp") return {6, 0, 0, 0};
    if (protocol == "udp") return {17, 0, 0, 0};
    throw make_error("ports of protocol \"{}\" can't be published", protocol);
}

Set with_family(const std::string& name) {
    return {.name = name, .key_type = type_list(kTypeInterface, kTypeFamily), .key_length = kNameSize + 4};
}

std::string family_bytes(std::string_view family) {
    return std::string(family) + std::string(3, '\0');
}

Element home_of(const std::string& name, const Prefix& subnet) {
    return {.key = name + address_bytes(subnet.network), .key_end = name + address_bytes(subnet.broadcast())};
}
Element home_of(const std::string& name, const Prefix6& subnet) {
    return {.key = name + address_bytes(subnet.network), .key_end = name + address_bytes(subnet.last())};
}

using Add = std::function<void(const std::string& set, Element element)>;

// One network and one of its families; `source` is the address under which its traffic leaves, if one was chosen.
void add_ways(const FirewallNetwork& network, std::string_view family, Straight straight, const std::string& source,
              const Add& add) {
    const std::string name = name_bytes(network.bridge);
    const std::string key = name + family_bytes(family);
    if (straight == Straight::open_ports) add(kRouted, {.key = key});
    if (straight == Straight::everything) add(kUnprotected, {.key = key});
    if (!network.masquerade || network.internal || straight == Straight::open_ports) return;
    add(kMasqueraded, {.key = key});
    if (!source.empty()) add(family == kIpv4 ? kSources : kSources6, {.key = name, .data = source});
}

void add_network(const FirewallNetwork& network, const Add& add) {
    const std::string name = name_bytes(network.bridge);
    const auto bytes_of = [](const auto& address) { return address ? address_bytes(*address) : std::string(); };
    add(kNetworks, {.key = name});
    if (!network.isolated) add(kPairs, {.key = name + name});
    if (const auto& subnet = network.subnet) {
        add(kHomes, home_of(name, *subnet));
        for (const Prefix& more : network.more) add(kHomes, home_of(name, more));
        add_ways(network, kIpv4, network.straight, bytes_of(network.source), add);
    }
    if (const auto& subnet = network.subnet6) {
        add(kNetworks6, {.key = name});
        add(kHomes6, home_of(name, *subnet));
        for (const Prefix6& more : network.more6) add(kHomes6, home_of(name, more));
        add_ways(network, kIpv6, network.straight6, bytes_of(network.source6), add);
    }
    if (network.internal) add(kInternals, {.key = name});
    for (const std::string& interface : network.trusted) add(kTrusted, {.key = name + name_bytes(interface)});
}

}  // namespace

std::vector<Set> firewall_sets() {
    constexpr std::uint32_t kTarget = type_list(kTypeIpv4, kTypePort);
    constexpr std::uint32_t kTarget6 = type_list(kTypeIpv6, kTypePort);
    return {
        {.name = kNetworks, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        {.name = kNetworks6, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        {.name = kInternals, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        with_family(kMasqueraded),
        with_family(kRouted),
        with_family(kUnprotected),
        {.name = kSources,
         .key_type = kTypeInterface,
         .key_length = kNameSize,
         .data_type = kTypeIpv4,
         .data_length = 4,
         .host_order = true},
        {.name = kSources6,
         .key_type = kTypeInterface,
         .key_length = kNameSize,
         .data_type = kTypeIpv6,
         .data_length = 16,
         .host_order = true},
        {.name = kTrusted, .key_type = type_list(kTypeInterface, kTypeInterface), .key_length = 2 * kNameSize},
        {.name = kPairs, .key_type = type_list(kTypeInterface, kTypeInterface), .key_length = 2 * kNameSize},
        {.name = kHomes,
         .key_type = type_list(kTypeInterface, kTypeIpv4),
         .key_length = kNameSize + 4,
         .fields = {kNameSize, 4}},
        {.name = kHomes6,
         .key_type = type_list(kTypeInterface, kTypeIpv6),
         .key_length = kNameSize + 16,
         .fields = {kNameSize, 16}},
        {.name = kPublishedAny,
         .key_type = type_list(kTypeProtocol, kTypePort),
         .key_length = 8,
         .data_type = kTarget,
         .data_length = 8},
        {.name = kPublishedAddr,
         .key_type = type_list(kTypeIpv4, kTypeProtocol, kTypePort),
         .key_length = 12,
         .data_type = kTarget,
         .data_length = 8},
        {.name = kPublishedAny6,
         .key_type = type_list(kTypeProtocol, kTypePort),
         .key_length = 8,
         .data_type = kTarget6,
         .data_length = 20},
        {.name = kPublishedAddr6,
         .key_type = type_list(kTypeIpv6, kTypeProtocol, kTypePort),
         .key_length = 24,
         .data_type = kTarget6,
         .data_length = 20},
        {.name = kRelayed, .key_type = type_list(kTypeFamily, kTypeProtocol, kTypePort), .key_length = 12},
        {.name = kOpen, .key_type = type_list(kTypeIpv4, kTypeProtocol, kTypePort), .key_length = 12},
        {.name = kOpen6, .key_type = type_list(kTypeIpv6, kTypeProtocol, kTypePort), .key_length = 24},
    };
}

FirewallElements elements_of(std::span<const FirewallNetwork> networks) {
    FirewallElements result;
    for (const std::string& set : {kNetworks, kNetworks6, kPairs, kHomes, kHomes6, kInternals, kMasqueraded, kSources,
                                   kSources6, kRouted, kUnprotected, kTrusted})
        result.emplace_back(set, std::vector<Element>{});
    for (const FirewallNetwork& network : networks)
        add_network(network, [&](const std::string& set, Element element) {
            const auto list = std::find_if(result.begin(), result.end(), [&](const auto& l) { return l.first == set; });
            list->second.push_back(std::move(element));
        });
    return result;
}

namespace {

bool is_wildcard(const IpAddress& address) {
    return address == IpAddress(Ipv4{}) || address == IpAddress(Ipv6{});
}

// Several host ports may lead to one port of a container.
void leave_one_of_each(std::vector<Element>& elements) {
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
}

}  // namespace

FirewallElements elements_of(std::span<const PublishedPort> ports) {
    std::vector<Element> any[2];  // of IPv4, of IPv6
    std::vector<Element> addressed[2];
    std::vector<Element> open[2];
    std::vector<Element> relayed;
    for (const PublishedPort& port : ports) {
        const bool by_relay = port.way == PublishedPort::Way::relay;
        const bool six = std::holds_alternative<Ipv6>(by_relay ? port.host_ip.value() : port.container);
        const std::string protocol = protocol_bytes(port.protocol);
        if (port.way == PublishedPort::Way::straight) {
            open[six].push_back({.key = address_bytes(port.container) + protocol + port_bytes(port.container_port)});
            continue;
        }
        const std::string key = protocol + port_bytes(port.host_port);
        const bool everywhere = !port.host_ip || is_wildcard(*port.host_ip);
        if (by_relay) {
            // The one address that an internal network reaches is its gateway's: naming it is meaning it.
            if (everywhere) relayed.push_back({.key = family_bytes(six ? kIpv6 : kIpv4) + key});
            continue;
        }
        const std::string target = address_bytes(port.container) + port_bytes(port.container_port);
        if (everywhere)
            any[six].push_back({.key = key, .data = target});
        else
            addressed[six].push_back({.key = address_bytes(*port.host_ip) + key, .data = target});
    }
    for (auto& list : open) leave_one_of_each(list);
    return {{kPublishedAny, any[0]},  {kPublishedAddr, addressed[0]},
            {kPublishedAny6, any[1]}, {kPublishedAddr6, addressed[1]},
            {kRelayed, relayed},      {kOpen, open[0]},
            {kOpen6, open[1]}};
}

}  // namespace compose::net
