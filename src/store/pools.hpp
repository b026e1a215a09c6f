// The subnets of a network, as its row keeps them. The first one of each family stands in columns and options of its
// own (see Network); few networks have more.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace compose::store {

struct Pool {
    std::string subnet;   // "10.1.0.0/16", "fd00:1::/64"
    std::string gateway;  // on the network the host's own address, unless it is somebody else's
    std::string range{};  // containers that wish for no address get one of these; empty: of the whole subnet
    std::map<std::string, std::string> reserved{};  // what for -> address, which no container gets
};

/// In the order in which they are filled; empty when the network lacks that family.
[[nodiscard]] std::vector<Pool> pools_of(const Network& network, bool ipv6);
/// For the options "reserved" and "reserved6".
[[nodiscard]] std::string encode_reserved(const std::map<std::string, std::string>& reserved);
/// For the option "more": all but the first of each family.
[[nodiscard]] std::string encode_pools(std::span<const Pool> pools);
[[nodiscard]] std::vector<Pool> decode_pools(std::string_view text);

}  // namespace compose::store
