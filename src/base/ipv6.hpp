// IPv6 addresses as text. An address can be written in many ways; there is one that the kernel and everybody else
// prints (RFC 5952).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace compose {

using Ipv6Bytes = std::array<std::uint8_t, 16>;

/// "2001:db8::1", "::ffff:192.0.2.1"; without a zone and without brackets.
[[nodiscard]] std::optional<Ipv6Bytes> parse_ipv6(std::string_view text);
[[nodiscard]] std::string format_ipv6(const Ipv6Bytes& address);
/// "fd00::1" for "fd00:0::1" and "[FD00::1]"; what is no IPv6 address stays as it is.
[[nodiscard]] std::string canonical_address(const std::string& text);

}  // namespace compose
