// Holding a host port: a bound socket that never talks keeps everyone else from taking it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

/// Binds `protocol` ("tcp" or "udp") on `host_ip` (empty: all addresses of both families, as far as the host has them;
/// "0.0.0.0" and "::": all of one) and `port` (0: the kernel chooses). Nothing when it is taken; throws Error(invalid)
/// on what is no address, Error(unavailable) on an IPv6 address where the host has none, Error on everything else. The
/// socket is non-blocking.
[[nodiscard]] std::optional<Fd> reserve_port(const std::string& protocol, const std::string& host_ip,
                                             std::uint16_t port);

/// What reserve_port() has bound, in the same words; "0.0.0.0" for all addresses of a host without IPv6.
struct BoundPort {
    std::string protocol;
    std::string host_ip;
    std::uint16_t port = 0;
};
[[nodiscard]] BoundPort bound_port(FdRef socket);
/// Does this host speak IPv6?
[[nodiscard]] bool has_ipv6();

struct PortHolder {
    int pid = 0;
    std::string command;
};
/// Who has it, as far as /proc tells.
[[nodiscard]] std::optional<PortHolder> find_port_holder(const std::string& protocol, const std::string& host_ip,
                                                         std::uint16_t port);

}  // namespace compose::sys
