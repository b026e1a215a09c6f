#include "net/address.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/ipv6.hpp"

namespace compose::net {
namespace {

// A decimal number without sign, blank or leading zero (which some programs read as octal).
std::optional<unsigned> parse_number(std::string_view text, unsigned limit) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > limit) return std::nullopt;
    return value;
}

std::uint32_t mask_of(int length) {
    return length == 0 ? 0 : 0xffffffffU << (32U - static_cast<unsigned>(length));
}

}  // namespace

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
    Ipv4 address;
    for (int part = 0; part < 4; ++part) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (part == 3)) return std::nullopt;
        const auto number = parse_number(text.substr(0, dot), 255);
        if (!number) return std::nullopt;
        address.value = address.value << 8U | *number;
        if (part < 3) text.remove_prefix(dot + 1);
    }
    return address;
}

std::string Ipv4::to_string() const {
    return fmt::format("{}.{}.{}.{}", value >> 24U, value >> 16U & 255U, value >> 8U & 255U, value & 255U);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = Ipv4::parse(text.substr(0, slash));
    const auto length = parse_number(text.substr(slash + 1), 32);
    if (!address || !length) return std::nullopt;
    Prefix prefix{*address, static_cast<int>(*length)};
    prefix.network.value &= mask_of(prefix.length);
    return prefix;
}

std::optional<Ipv6> Ipv6::parse(std::string_view text) {
    const auto bytes = parse_ipv6(text);
    if (!bytes) return std::nullopt;
    return Ipv6{*bytes};
}

std::string Ipv6::to_string() const {
    return format_ipv6(bytes);
}

namespace {

Ipv6 masked(Ipv6 address, int length) {
    for (int bit = length; bit < 128; ++bit)
        address.bytes[static_cast<std::size_t>(bit) / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    return address;
}

}  // namespace

std::optional<Prefix6> Prefix6::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = Ipv6::parse(text.substr(0, slash));
    const auto length = parse_number(text.substr(slash + 1), 128);
    if (!address || !length) return std::nullopt;
    return Prefix6{masked(*address, static_cast<int>(*length)), static_cast<int>(*length)};
}

std::string Prefix6::to_string() const {
    return fmt::format("{}/{}", network.to_string(), length);
}

bool Prefix6::contains(const Ipv6& address) const {
    return masked(address, length) == network;
}

bool Prefix6::overlaps(const Prefix6& other) const {
    return contains(other.network) || other.contains(network);
}

Ipv6 Prefix6::last() const {
    Ipv6 result = network;
    for (int bit = length; bit < 128; ++bit)
        result.bytes[static_cast<std::size_t>(bit) / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    return result;
}

Ipv6 Prefix6::host(std::uint32_t number) const {
    Ipv6 result = network;
    for (std::size_t i = 0; i < 4; ++i)
        result.bytes[15 - i] = static_cast<std::uint8_t>(result.bytes[15 - i] | (number >> (8 * i) & 255U));
    return result;
}

std::string Prefix::to_string() const {
    return fmt::format("{}/{}", network.to_string(), length);
}

bool Prefix::contains(Ipv4 address) const {
    return ((address.value ^ network.value) & mask_of(length)) == 0;
}

bool Prefix::overlaps(const Prefix& other) const {
    return contains(other.network) || other.contains(network);
}

// In a /31 both addresses are hosts (RFC 3021), a /32 is one.
Ipv4 Prefix::first() const {
    return length >= 31 ? network : Ipv4{network.value + 1};
}

Ipv4 Prefix::last() const {
    const std::uint32_t top = network.value | ~mask_of(length);
    return Ipv4{length >= 31 ? top : top - 1};
}

Ipv4 Prefix::broadcast() const {
    return Ipv4{network.value | ~mask_of(length)};
}

std::optional<IpAddress> parse_ip(std::string_view text) {
    if (const auto four = Ipv4::parse(text)) return *four;
    if (const auto six = Ipv6::parse(text)) return *six;
    return std::nullopt;
}

std::string to_string(const IpAddress& address) {
    return std::visit([](const auto& value) { return value.to_string(); }, address);
}

std::optional<Mac> parse_mac(std::string_view text) {
    if (text.size() != 17) return std::nullopt;
    Mac mac{};
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const std::string_view digits = text.substr(i * 3, 2);
        if (i > 0 && text[i * 3 - 1] != ':' && text[i * 3 - 1] != '-') return std::nullopt;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, mac[i], 16);
        if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
    }
    return mac;
}

std::string to_string(const Mac& mac) {
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

Mac mac_of(Ipv4 address) {
    const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(address.value >> shift); };
    return {0x02, 0x42, byte(24), byte(16), byte(8), byte(0)};
}

Mac mac_of(const Ipv6& address) {
    const auto& bytes = address.bytes;
    return {0x02, 0x42, bytes[12], bytes[13], bytes[14], bytes[15]};
}

}  // namespace compose::net
