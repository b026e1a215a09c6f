// What the firewall's table looks like, as values: chains with their rules, sets, and the elements that one network or
// one published port adds. Pure: firewall.cpp brings it into the kernel.
//
//   raw prerouting   guard        containers can't reach the host's 127.0.0.0/8 nor pretend to come from there
//   nat prerouting   inbound  ┐
//   nat output       local    ┴→ publish     host port -> container, by two maps; only for addresses of this host
//                             └→ publish6    the same for IPv6, but for ::1
//   filter forward   forward      isolation, and who reaches containers by routes; traffic that is not ours leaves by
//                                 the second rule
//   filter input     input        internal networks reach nothing of the host but their bridge's own address, and there
//                                 no relay
//   nat postrouting  outbound     masquerade
//
// Networks and ports are elements of the sets and maps, never rules: adding one costs the same whether there are ten or
// ten thousand, and a transaction can't leave a half of it.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "net/firewall.hpp"
#include "sys/nftables.hpp"

namespace compose::net {

/// Changes whenever the chains or sets do: a table made by another version of the engine is made anew.
inline constexpr std::string_view kFirewallLayout = "compose-firewall-5";

[[nodiscard]] std::vector<sys::nft::Set> firewall_sets();
[[nodiscard]] std::vector<sys::nft::Chain> firewall_chains();  // in an order in which jumps find their targets

/// Set name -> elements.
using FirewallElements = std::vector<std::pair<std::string, std::vector<sys::nft::Element>>>;
[[nodiscard]] FirewallElements elements_of(std::span<const FirewallNetwork> networks);
[[nodiscard]] FirewallElements elements_of(std::span<const PublishedPort> ports);

/// Are all chains with all rules and all sets there?
[[nodiscard]] bool is_intact(const sys::nft::TableState& table);

}  // namespace compose::net
