// Holding a host port: a bound socket that never talks keeps everyone else from taking it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

/// Binds `protocol` ("tcp" or "udp") on `address` (host byte order; 0: all) and `port` (0: the kernel chooses). Nothing
/// when it is taken; throws Error on everything else.
[[nodiscard]] std::optional<Fd> reserve_port(const std::string& protocol, std::uint32_t address, std::uint16_t port);
[[nodiscard]] std::uint16_t bound_port(FdRef socket);

struct PortHolder {
    int pid = 0;
    std::string command;
};
/// Who has it, as far as /proc tells.
[[nodiscard]] std::optional<PortHolder> find_port_holder(const std::string& protocol, std::uint16_t port);

}  // namespace compose::sys
