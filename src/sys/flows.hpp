// What the kernel and a process have open: flows of datagrams that address translation remembers, connections of TCP.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

namespace compose::sys {

/// Where the datagrams of a flow go was decided by its first one. Of flows to that `address` (4 or 16 bytes, network
/// byte order) and `port` it is decided anew with the next one. Needs root; throws Error.
void forget_datagram_flows(std::string_view address, std::uint16_t port);

/// Is a connection to one of these ports open in the network namespace of `pid`, or has one unsent data? False when
/// there is no such process.
[[nodiscard]] bool has_open_connections(int pid, const std::set<std::uint16_t>& ports);

}  // namespace compose::sys
