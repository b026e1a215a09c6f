#include "net/nft_rules.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace compose::net {

using sys::nft::Address;
using sys::nft::Chain;
using sys::nft::Conntrack;
using sys::nft::Element;
using sys::nft::Family;
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
const std::string kHomes6 = "homes6";            // the same of IPv6
const std::string kPairs = "pairs";              // bridge . the same bridge
// Maps to container address . port.
const std::string kPublishedAny = "published_any";    // protocol . host port
const std::string kPublishedAddr = "published_addr";  // host address . protocol . host port
const std::string kPublishedAny6 = "published_any6";
const std::string kPublishedAddr6 = "published_addr6";
const std::string kRelayed = "relayed";  // a set: family . protocol . host port of our listening sockets

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
constexpr std::string_view kLoopback6("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
constexpr unsigned kSourceAddress = 12;  // in the IPv4 header
constexpr unsigned kDestinationAddress = 16;
constexpr unsigned kSourceAddress6 = 8;  // in the IPv6 header
constexpr unsigned kDestinationAddress6 = 24;
constexpr unsigned kWords6 = 4;           // that an IPv6 address takes of the registers
constexpr unsigned kDestinationPort = 2;  // in the headers of TCP and UDP

Rule from(Rule rule, const std::string& set) {
    return rule.meta(Meta::input_name).in_set(set);
}
Rule from(const std::string& set) {
    return from(Rule(), set);
}
Rule to(const std::string& set) {
    return Rule().meta(Meta::output_name).in_set(set);
}
Rule ipv4() {
    return Rule().meta(Meta::network_protocol).equals(kIpv4);
}
Rule ipv6() {
    return Rule().meta(Meta::network_protocol).equals(kIpv6);
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

// Of a chain that every packet passes, the first rule decides on most, and of a rule the first condition: what costs
// the least comes first, and interfaces are looked up last.

// The bridges have route_localnet, for answers to connections from 127.0.0.1. What that opens beside is closed here.
Chain guard_chain() {
    return {.name = "guard",
            .type = "filter",
            .hook = Hook::prerouting,
            .priority = -300,
            .rules = {from(loopback(Rule(), kDestinationAddress), kNetworks).verdict(Verdict::drop),
                      from(loopback(Rule(), kSourceAddress), kNetworks).verdict(Verdict::drop)}};
}

// Both families do the same with addresses of their own length.
struct Side {
    const char* chain;
    Family family;
    const std::string& by_address;
    const std::string& by_port;
    unsigned address_offset, address_words;
};
const Side kFour{"publish", Family::ipv4, kPublishedAddr, kPublishedAny, kDestinationAddress, 1};
const Side kSix{"publish6", Family::ipv6, kPublishedAddr6, kPublishedAny6, kDestinationAddress6, kWords6};

Chain publish_chain(const Side& side) {
    const unsigned words = side.address_words;
    Rule by_address = Rule()
                          .payload(Header::network, side.address_offset, words * 4, 0)
                          .meta(Meta::transport_protocol, words)
                          .payload(Header::transport, kDestinationPort, 2, words + 1)
                          .map(side.by_address, 0, 0)
                          .dnat(side.family, 0, words);
    Rule by_port = Rule()
                       .meta(Meta::transport_protocol, 0)
                       .payload(Header::transport, kDestinationPort, 2, 1)
                       .map(side.by_port, 0, 0)
                       .dnat(side.family, 0, words);
    return {.name = side.chain, .type = "", .rules = {by_address, by_port}};
}

// Only connections to this host: the same port on another host behind it is not ours to take.
Rule publish_local(Rule family, const Side& side) {
    return family.address_type(Address::of_destination, kLocal).jump(side.chain);
}

Chain inbound_chain() {
    // Before routing could refuse it as coming from outside, 127.0.0.1 would be rewritten: so never here. (The kernel
    // itself refuses ::1 before.)
    Rule skip_loopback = loopback(Rule(), kDestinationAddress).verdict(Verdict::leave);
    return {.name = "inbound",
            .type = "nat",
            .hook = Hook::prerouting,
            .priority = -100,
            .rules = {skip_loopback, publish_local(ipv4(), kFour), publish_local(ipv6(), kSix)}};
}

Chain local_chain() {
    // What comes from ::1 never leaves the loopback interface, wherever it is sent: a relay takes it.
    Rule skip_loopback6 =
        ipv6().payload(Header::network, kDestinationAddress6, 16).equals(kLoopback6).verdict(Verdict::leave);
    return {.name = "local",
            .type = "nat",
            .hook = Hook::output,
            .priority = -100,
            .rules = {skip_loopback6, publish_local(ipv4(), kFour), publish_local(ipv6(), kSix)}};
}

Rule established() {
    return Rule().any_bit(Conntrack::state, kEstablishedOrRelated).verdict(Verdict::accept);
}

Chain forward_chain() {
    return {.name = "forward",
            .type = "filter",
            .hook = Hook::forward,
            .priority = 0,
            .rules = {
                established(),
                Rule()
                    .meta(Meta::input_name)
                    .not_in_set(kNetworks)
                    .meta(Meta::output_name)
                    .not_in_set(kNetworks)
                    .verdict(Verdict::accept),
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
    Chain chain{.name = "input", .type = "filter", .hook = Hook::input, .priority = 0, .rules = {established()}};
    chain.rules.push_back(Rule().meta(Meta::input_name).not_in_set(kInternals).verdict(Verdict::accept));
    // A relay would lead them out.
    chain.rules.push_back(Rule()
                              .meta(Meta::network_protocol, 0)
                              .meta(Meta::transport_protocol, 1)
                              .payload(Header::transport, kDestinationPort, 2, 2)
                              .in_set(kRelayed)
                              .verdict(Verdict::drop));
    for (const std::uint32_t type : {kLocal, kBroadcast, kMulticast})
        chain.rules.push_back(Rule().address_type(Address::of_destination_on_input, type).verdict(Verdict::accept));
    chain.rules.push_back(Rule().verdict(Verdict::drop));
    return chain;
}

// A container to a published port of its own network: the answer must come back through the host. Not by the pair of
// bridges: where bridged packets pass here (br_netfilter), they have no input interface.
Rule turned_around(Rule family, unsigned source_offset, unsigned size, const std::string& homes) {
    return family.meta(Meta::output_name)
        .payload(Header::network, source_offset, size, kSecondName)
        .in_set(homes)
        .any_bit(Conntrack::status, kDestinationChanged)
        .masquerade();
}

Chain outbound_chain() {
    return {.name = "outbound",
            .type = "nat",
            .hook = Hook::postrouting,
            .priority = 100,
            .rules = {
                // The host's own 127.0.0.1 to a published port: the container must answer to an address it can reach.
                loopback(to(kNetworks), kSourceAddress).masquerade(),
                turned_around(ipv4(), kSourceAddress, 4, kHomes),
                turned_around(ipv6(), kSourceAddress6, 16, kHomes6),
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

}  // namespace

std::vector<Set> firewall_sets() {
    constexpr std::uint32_t kTarget = type_list(kTypeIpv4, kTypePort);
    constexpr std::uint32_t kTarget6 = type_list(kTypeIpv6, kTypePort);
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
    };
}

std::vector<Chain> firewall_chains() {
    return {guard_chain(), publish_chain(kFour), publish_chain(kSix), inbound_chain(),
            local_chain(), forward_chain(),      input_chain(),       outbound_chain()};
}

FirewallElements elements_of(std::span<const FirewallNetwork> networks) {
    std::vector<Element> all;
    std::vector<Element> with_ipv6;
    std::vector<Element> internal;
    std::vector<Element> masqueraded;
    std::vector<Element> pairs;
    std::vector<Element> homes;
    std::vector<Element> homes6;
    for (const FirewallNetwork& network : networks) {
        const std::string name = name_bytes(network.bridge);
        all.push_back({.key = name});
        if (!network.isolated) pairs.push_back({.key = name + name});
        if (const auto& subnet = network.subnet)
            homes.push_back(
                {.key = name + address_bytes(subnet->network), .key_end = name + address_bytes(subnet->broadcast())});
        if (const auto& subnet = network.subnet6) {
            homes6.push_back(
                {.key = name + address_bytes(subnet->network), .key_end = name + address_bytes(subnet->last())});
            with_ipv6.push_back({.key = name});
        }
        if (network.internal) internal.push_back({.key = name});
        if (network.masquerade && !network.internal) masqueraded.push_back({.key = name});
    }
    return {{kNetworks, all},       {kNetworks6, with_ipv6},    {kPairs, pairs}, {kHomes, homes}, {kHomes6, homes6},
            {kInternals, internal}, {kMasqueraded, masqueraded}};
}

namespace {

bool is_wildcard(const IpAddress& address) {
    return address == IpAddress(Ipv4{}) || address == IpAddress(Ipv6{});
}

}  // namespace

FirewallElements elements_of(std::span<const PublishedPort> ports) {
    std::vector<Element> any[2];  // of IPv4, of IPv6
    std::vector<Element> addressed[2];
    std::vector<Element> relayed;
    for (const PublishedPort& port : ports) {
        const bool six = std::holds_alternative<Ipv6>(port.relayed ? port.host_ip.value() : port.container);
        const std::string key = protocol_bytes(port.protocol) + port_bytes(port.host_port);
        const bool everywhere = !port.host_ip || is_wildcard(*port.host_ip);
        if (port.relayed) {
            // The one address that an internal network reaches is its gateway's: naming it is meaning it.
            const std::string family(six ? kIpv6 : kIpv4);
            if (everywhere) relayed.push_back({.key = family + std::string(3, '\0') + key});
            continue;
        }
        const std::string target = address_bytes(port.container) + port_bytes(port.container_port);
        if (everywhere)
            any[six].push_back({.key = key, .data = target});
        else
            addressed[six].push_back({.key = address_bytes(*port.host_ip) + key, .data = target});
    }
    return {{kPublishedAny, any[0]},
            {kPublishedAddr, addressed[0]},
            {kPublishedAny6, any[1]},
            {kPublishedAddr6, addressed[1]},
            {kRelayed, relayed}};
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
