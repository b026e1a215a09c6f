#include "net/nft_rules.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace compose::net {

using sys::nft::Address;
using sys::nft::Chain;
using sys::nft::Conntrack;
using sys::nft::Element;
using sys::nft::Header;
using sys::nft::Hook;
using sys::nft::Meta;
using sys::nft::Rule;
using sys::nft::Set;
using sys::nft::Verdict;

namespace {

// Sets of interface names.
const std::string kNetworks = "networks";        // all bridges
const std::string kNetworks6 = "networks6";      // bridges that have IPv6 too
const std::string kInternals = "internals";      // bridges without a way out
const std::string kMasqueraded = "masqueraded";  // bridges whose traffic leaves under the host's address
const std::string kHomes = "homes";              // bridge . addresses of its subnet
const std::string kPairs = "pairs";              // bridge . the same bridge
// Maps to container address . port.
const std::string kPublishedAny = "published_any";    // protocol . host port
const std::string kPublishedAddr = "published_addr";  // host address . protocol . host port

// nft's numbers of its data types, so that `nft list` prints names and addresses instead of bytes.
constexpr std::uint32_t kTypeIpv4 = 7;
constexpr std::uint32_t kTypeProtocol = 12;
constexpr std::uint32_t kTypePort = 13;
constexpr std::uint32_t kTypeInterface = 41;
template <class... Rest>
constexpr std::uint32_t type_list(std::uint32_t first, Rest... rest) {
    ((first = first << 6U | rest), ...);
    return first;
}

constexpr std::uint32_t kNameSize = 16;
constexpr unsigned kSecondName = kNameSize / 4;  // its word in the registers

// Addresses' types in the routing table (RTN_*).
constexpr std::uint32_t kLocal = 2;
constexpr std::uint32_t kBroadcast = 3;
constexpr std::uint32_t kMulticast = 5;

constexpr std::uint32_t kEstablishedOrRelated = 0x2 | 0x4;
constexpr std::uint32_t kDestinationChanged = 0x20;  // IPS_DST_NAT

constexpr std::string_view kIpv4("\x02", 1);
constexpr std::string_view kIpv6("\x0a", 1);
constexpr std::string_view kLoopback("\x7f", 1);
constexpr unsigned kSourceAddress = 12;  // in the IPv4 header
constexpr unsigned kDestinationAddress = 16;
constexpr unsigned kDestinationPort = 2;  // in the headers of TCP and UDP

Rule from(const std::string& set) {
    return Rule().meta(Meta::input_name).in_set(set);
}
Rule to(const std::string& set) {
    return Rule().meta(Meta::output_name).in_set(set);
}
Rule ipv4() {
    return Rule().meta(Meta::network_protocol).equals(kIpv4);
}
Rule without_ipv6(Meta side) {
    return Rule()
        .meta(Meta::network_protocol)
        .equals(kIpv6)
        .meta(side)
        .in_set(kNetworks)
        .meta(side)
        .not_in_set(kNetworks6)
        .verdict(Verdict::drop);
}
Rule same_bridge() {
    return Rule().meta(Meta::input_name).meta(Meta::output_name, kSecondName).in_set(kPairs);
}
Rule loopback(Rule rule, unsigned offset) {
    return rule.meta(Meta::network_protocol).equals(kIpv4).payload(Header::network, offset, 1).equals(kLoopback);
}

// The bridges have route_localnet, for answers to connections from 127.0.0.1. What that opens beside is closed here.
Chain guard_chain() {
    return {.name = "guard",
            .type = "filter",
            .hook = Hook::prerouting,
            .priority = -300,
            .rules = {loopback(from(kNetworks), kDestinationAddress).verdict(Verdict::drop),
                      loopback(from(kNetworks), kSourceAddress).verdict(Verdict::drop)}};
}

Chain publish_chain() {
    Rule by_address = ipv4()
                          .payload(Header::network, kDestinationAddress, 4, 0)
                          .meta(Meta::transport_protocol, 1)
                          .payload(Header::transport, kDestinationPort, 2, 2)
                          .map(kPublishedAddr, 0, 0)
                          .dnat(0, 1);
    Rule by_port = Rule()
                       .meta(Meta::transport_protocol, 0)
                       .payload(Header::transport, kDestinationPort, 2, 1)
                       .map(kPublishedAny, 0, 0)
                       .dnat(0, 1);
    return {.name = "publish", .type = "", .rules = {by_address, by_port}};
}

// Only connections to this host: the same port on another host behind it is not ours to take.
Rule publish_local() {
    return ipv4().address_type(Address::of_destination, kLocal).jump("publish");
}

Chain inbound_chain() {
    // Before routing could refuse it as coming from outside, 127.0.0.1 would be rewritten: so never here.
    Rule skip_loopback = loopback(Rule(), kDestinationAddress).verdict(Verdict::leave);
    return {.name = "inbound",
            .type = "nat",
            .hook = Hook::prerouting,
            .priority = -100,
            .rules = {skip_loopback, publish_local()}};
}

Chain local_chain() {
    return {.name = "local", .type = "nat", .hook = Hook::output, .priority = -100, .rules = {publish_local()}};
}

Chain forward_chain() {
    return {.name = "forward",
            .type = "filter",
            .hook = Hook::forward,
            .priority = 0,
            .rules = {
                Rule()
                    .meta(Meta::input_name)
                    .not_in_set(kNetworks)
                    .meta(Meta::output_name)
                    .not_in_set(kNetworks)
                    .verdict(Verdict::accept),
                Rule().any_bit(Conntrack::state, kEstablishedOrRelated).verdict(Verdict::accept),
                same_bridge().verdict(Verdict::accept),
                without_ipv6(Meta::input_name),
                without_ipv6(Meta::output_name),
                from(kInternals).verdict(Verdict::drop),
                to(kInternals).verdict(Verdict::drop),
                to(kNetworks).any_bit(Conntrack::status, kDestinationChanged).verdict(Verdict::accept),
                to(kNetworks).verdict(Verdict::drop),
            }};
}

Chain input_chain() {
    Chain chain{.name = "input", .type = "filter", .hook = Hook::input, .priority = 0, .rules = {}};
    chain.rules.push_back(Rule().meta(Meta::input_name).not_in_set(kInternals).verdict(Verdict::accept));
    for (const std::uint32_t type : {kLocal, kBroadcast, kMulticast})
        chain.rules.push_back(Rule().address_type(Address::of_destination_on_input, type).verdict(Verdict::accept));
    chain.rules.push_back(Rule().verdict(Verdict::drop));
    return chain;
}

Chain outbound_chain() {
    return {.name = "outbound",
            .type = "nat",
            .hook = Hook::postrouting,
            .priority = 100,
            .rules = {
                // The host's own 127.0.0.1 to a published port: the container must answer to an address it can reach.
                loopback(to(kNetworks), kSourceAddress).masquerade(),
                // A container to a published port of its own network: the answer must come back through the host. Not
                // by the pair of bridges: where bridged packets pass here (br_netfilter), they have no input interface.
                ipv4()
                    .meta(Meta::output_name)
                    .payload(Header::network, kSourceAddress, 4, kSecondName)
                    .in_set(kHomes)
                    .any_bit(Conntrack::status, kDestinationChanged)
                    .masquerade(),
                Rule()
                    .meta(Meta::input_name)
                    .in_set(kMasqueraded)
                    .meta(Meta::output_name)
                    .not_in_set(kNetworks)
                    .masquerade(),
            }};
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
std::string port_bytes(std::uint16_t port) {
    return {static_cast<char>(port >> 8U), static_cast<char>(port & 255U), '\0', '\0'};
}
std::string protocol_bytes(const std::string& protocol) {
    if (protocol == "tcp") return {6, 0, 0, 0};
    if (protocol == "udp") return {17, 0, 0, 0};
    throw make_error("ports of protocol \"{}\" can't be published", protocol);
}

}  // namespace

std::vector<Set> firewall_sets() {
    constexpr std::uint32_t kTarget = type_list(kTypeIpv4, kTypePort);
    return {
        {.name = kNetworks, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        {.name = kNetworks6, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        {.name = kInternals, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        {.name = kMasqueraded, .key_type = kTypeInterface, .key_length = kNameSize, .host_order = true},
        {.name = kPairs, .key_type = type_list(kTypeInterface, kTypeInterface), .key_length = 2 * kNameSize},
        {.name = kHomes,
         .key_type = type_list(kTypeInterface, kTypeIpv4),
         .key_length = kNameSize + 4,
         .fields = {kNameSize, 4}},
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
    };
}

std::vector<Chain> firewall_chains() {
    return {guard_chain(),   publish_chain(), inbound_chain(), local_chain(),
            forward_chain(), input_chain(),   outbound_chain()};
}

FirewallElements elements_of(std::span<const FirewallNetwork> networks) {
    std::vector<Element> all;
    std::vector<Element> with_ipv6;
    std::vector<Element> internal;
    std::vector<Element> masqueraded;
    std::vector<Element> pairs;
    std::vector<Element> homes;
    for (const FirewallNetwork& network : networks) {
        const std::string name = name_bytes(network.bridge);
        all.push_back({.key = name});
        if (!network.isolated) pairs.push_back({.key = name + name});
        homes.push_back({.key = name + address_bytes(network.subnet.network),
                         .key_end = name + address_bytes(network.subnet.broadcast())});
        if (network.ipv6) with_ipv6.push_back({.key = name});
        if (network.internal) internal.push_back({.key = name});
        if (network.masquerade && !network.internal) masqueraded.push_back({.key = name});
    }
    return {{kNetworks, all}, {kNetworks6, with_ipv6}, {kPairs, pairs},
            {kHomes, homes},  {kInternals, internal},  {kMasqueraded, masqueraded}};
}

FirewallElements elements_of(std::span<const PublishedPort> ports) {
    std::vector<Element> any;
    std::vector<Element> addressed;
    for (const PublishedPort& port : ports) {
        const std::string key = protocol_bytes(port.protocol) + port_bytes(port.host_port);
        const std::string target = address_bytes(port.container) + port_bytes(port.container_port);
        if (port.host_ip && port.host_ip->value != 0)
            addressed.push_back({.key = address_bytes(*port.host_ip) + key, .data = target});
        else
            any.push_back({.key = key, .data = target});
    }
    return {{kPublishedAny, any}, {kPublishedAddr, addressed}};
}

bool is_intact(const sys::nft::TableState& table) {
    if (table.user_data != kFirewallLayout) return false;
    for (const Set& set : firewall_sets()) {
        if (std::find(table.sets.begin(), table.sets.end(), set.name) == table.sets.end()) return false;
    }
    const std::vector<Chain> chains = firewall_chains();
    if (table.chains.size() != chains.size()) return false;
    return std::all_of(chains.begin(), chains.end(), [&](const Chain& wanted) {
        const auto found = std::find_if(table.chains.begin(), table.chains.end(),
                                        [&](const auto& chain) { return chain.name == wanted.name; });
        if (found == table.chains.end() || found->type != wanted.type) return false;
        if (!wanted.type.empty() && (found->hook != wanted.hook || found->priority != wanted.priority)) return false;
        // A chain without a hook is used by its rules and by the two jumps to it.
        return found->uses == wanted.rules.size() + (wanted.type.empty() ? 2 : 0);
    });
}

}  // namespace compose::net
