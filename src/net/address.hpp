// IP addresses and prefixes, MAC addresses: values, parsed and printed.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace compose::net {

struct Ipv4 {
    std::uint32_t value = 0;  // host byte order
    [[nodiscard]] static std::optional<Ipv4> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    friend auto operator<=>(const Ipv4&, const Ipv4&) = default;
};

struct Prefix {
    Ipv4 network;  // host bits zero
    int length = 0;
    [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);  // "10.0.0.0/8"; host bits are cleared
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool contains(Ipv4 address) const;
    [[nodiscard]] bool overlaps(const Prefix& other) const;
    [[nodiscard]] Ipv4 first() const;  // the lowest usable host address
    [[nodiscard]] Ipv4 last() const;   // the highest usable host address
    [[nodiscard]] Ipv4 broadcast() const;
    friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

struct Ipv6 {
    std::array<std::uint8_t, 16> bytes{};
    [[nodiscard]] static std::optional<Ipv6> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    friend auto operator<=>(const Ipv6&, const Ipv6&) = default;
};

struct Prefix6 {
    Ipv6 network;  // host bits zero
    int length = 0;
    [[nodiscard]] static std::optional<Prefix6> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool contains(const Ipv6& address) const;
    [[nodiscard]] bool overlaps(const Prefix6& other) const;
    [[nodiscard]] Ipv6 last() const;
    /// The address with that number; for lengths up to 96.
    [[nodiscard]] Ipv6 host(std::uint32_t number) const;
    friend auto operator<=>(const Prefix6&, const Prefix6&) = default;
};

using IpAddress = std::variant<Ipv4, Ipv6>;
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
[[nodiscard]] std::string to_string(const IpAddress& address);

using Mac = std::array<std::uint8_t, 6>;
[[nodiscard]] std::optional<Mac> parse_mac(std::string_view text);
[[nodiscard]] std::string to_string(const Mac& mac);
/// Locally administered, from the address: 02:42:aa:bb:cc:dd as Docker makes it.
[[nodiscard]] Mac mac_of(Ipv4 address);
/// The same from its last four bytes.
[[nodiscard]] Mac mac_of(const Ipv6& address);

}  // namespace compose::net
