#include "net/nft_rules.hpp"

#include <algorithm>

#include "net/nft_sets.hpp"

namespace compose::net {

using sys::nft::Address;
using sys::nft::Chain;
using sys::nft::Conntrack;
using sys::nft::Family;
using sys::nft::Header;
using sys::nft::Hook;
using sys::nft::Meta;
using sys::nft::Rule;
using sys::nft::Set;
using sys::nft::Verdict;

namespace {

// Addresses' types in the routing table (RTN_*).
constexpr std::uint32_t kLocal = 2;
constexpr std::uint32_t kBroadcast = 3;
constexpr std::uint32_t kMulticast = 5;

constexpr std::uint32_t kEstablishedOrRelated = 0x2 | 0x4;
constexpr std::uint32_t kDestinationChanged = 0x20;  // IPS_DST_NAT

constexpr std::string_view kLoopback("\x7f", 1);
constexpr std::string_view kLoopback6("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
constexpr unsigned kSourceAddress = 12;  // in the IPv4 header
constexpr unsigned kDestinationAddress = 16;
constexpr unsigned kSourceAddress6 = 8;  // in the IPv6 header
constexpr unsigned kDestinationAddress6 = 24;
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
// Bridge and family of what goes there, or comes from there.
Rule bridge_in(Meta side, const std::string& set) {
    return Rule().meta(side).meta(Meta::network_protocol, kNameWords).in_set(set);
}
Rule same_bridge() {
    return Rule().meta(Meta::input_name).meta(Meta::output_name, kNameWords).in_set(kPairs);
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
    std::string_view name;  // of the family, in packets
    const std::string& by_address;
    const std::string& by_port;
    const std::string& open;
    const std::string& sources;
    unsigned address_offset, address_words;
    std::string_view icmp;
};
constexpr std::string_view kIcmp("\x01", 1);
constexpr std::string_view kIcmp6("\x3a", 1);
const Side kFour{
    "publish", Family::ipv4, kIpv4, kPublishedAddr, kPublishedAny, kOpen, kSources, kDestinationAddress, 1, kIcmp,
};
const Side kSix{
    "publish6", Family::ipv6,         kIpv6,   kPublishedAddr6, kPublishedAny6, kOpen6,
    kSources6,  kDestinationAddress6, kWords6, kIcmp6,
};

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

// To a container's own address and a port that it has open.
Rule to_open_port(Rule rule, const Side& side) {
    const unsigned words = side.address_words;
    return rule.meta(Meta::network_protocol)
        .equals(side.name)
        .payload(Header::network, side.address_offset, words * 4)
        .meta(Meta::transport_protocol, words)
        .payload(Header::transport, kDestinationPort, 2, words + 1)
        .in_set(side.open)
        .verdict(Verdict::accept);
}

// Networks whose containers the outside reaches by routes, not by ports of this host. Most have none of this, so it
// comes after what lets their packets pass.
void add_straight_ways(std::vector<Rule>& rules) {
    rules.push_back(bridge_in(Meta::output_name, kUnprotected)
                        .meta(Meta::input_name)
                        .not_in_set(kNetworks)
                        .verdict(Verdict::accept));
    for (const Side* side : {&kFour, &kSix}) {
        rules.push_back(to_open_port(bridge_in(Meta::output_name, kRouted), *side));
        rules.push_back(bridge_in(Meta::output_name, kRouted)
                            .meta(Meta::network_protocol)
                            .equals(side->name)
                            .meta(Meta::transport_protocol)
                            .equals(side->icmp)
                            .verdict(Verdict::accept));
        rules.push_back(
            to_open_port(Rule().meta(Meta::output_name).meta(Meta::input_name, kNameWords).in_set(kTrusted), *side));
    }
}

Rule established() {
    return Rule().any_bit(Conntrack::state, kEstablishedOrRelated).verdict(Verdict::accept);
}

Chain forward_chain() {
    Chain chain{.name = "forward",
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
                }};
    add_straight_ways(chain.rules);
    chain.rules.push_back(to(kNetworks).verdict(Verdict::drop));
    return chain;
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
        .payload(Header::network, source_offset, size, kNameWords)
        .in_set(homes)
        .any_bit(Conntrack::status, kDestinationChanged)
        .masquerade();
}

// Under an address of the user's choice.
Rule under_chosen_address(const Side& side) {
    return Rule()
        .meta(Meta::network_protocol)
        .equals(side.name)
        .meta(Meta::output_name)
        .not_in_set(kNetworks)
        .meta(Meta::input_name)
        .map(side.sources, 0, 0)
        .snat(side.family, 0);
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
                under_chosen_address(kFour),
                under_chosen_address(kSix),
                bridge_in(Meta::input_name, kMasqueraded).meta(Meta::output_name).not_in_set(kNetworks).masquerade(),
            }};
}

}  // namespace

std::vector<Chain> firewall_chains() {
    return {guard_chain(), publish_chain(kFour), publish_chain(kSix), inbound_chain(),
            local_chain(), forward_chain(),      input_chain(),       outbound_chain()};
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
