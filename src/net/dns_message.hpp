// DNS on the wire: queries read, replies written. Pure and without trust: every byte may come from an attacker, nothing
// loops, nothing is longer than asked for.
//
//   header  | id 2 | flags 2 | questions 2 | answers 2 | authorities 2 | additionals 2 |
//   flags   | QR 1 | opcode 4 | AA 1 | TC 1 | RD 1 | RA 1 | Z 1 | AD 1 | CD 1 | rcode 4 |
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/address.hpp"

namespace compose::net::dns {

enum class Code : std::uint8_t {
    ok = 0,
    format_error = 1,
    server_failure = 2,
    no_such_name = 3,
    not_implemented = 4,
    refused = 5,
    bad_version = 16,
};

inline constexpr std::uint16_t kA = 1;
inline constexpr std::uint16_t kPtr = 12;
inline constexpr std::uint16_t kAaaa = 28;
inline constexpr std::uint16_t kSrv = 33;
inline constexpr std::uint16_t kOpt = 41;
inline constexpr std::uint16_t kAny = 255;
inline constexpr std::uint16_t kInternet = 1;

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kPlainUdpSize = 512;
inline constexpr std::size_t kOurUdpSize = 4096;  // what we take and send over UDP: it is only a loopback interface
inline constexpr std::size_t kMaxTcpSize = 65'535;

/// What a client asks.
struct Query {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;
    std::string question;  // as received: name, type, class; echoed byte for byte (clients may randomise the case)
    std::string name;      // lower case, no final dot; empty when a label holds a dot or bytes that are not printable
    std::uint16_t type = 0;
    std::uint16_t klass = 0;
    bool edns = false;
    bool dnssec = false;
    std::size_t udp_size = kPlainUdpSize;  // what the client takes
};

enum class Parsed : std::uint8_t {
    query,    // answer it
    refusal,  // answer with `code` and nothing else
    noise,    // no query at all: answering would make us a reflector
};
struct ParsedQuery {
    Parsed kind = Parsed::noise;
    Code code = Code::ok;
    Query query;  // of a refusal: id, flags and, when it could be read, the question
};
[[nodiscard]] ParsedQuery parse_query(std::string_view packet);

/// One answer to the question's own name.
struct Record {
    std::uint16_t type = kA;
    std::string data;
};
[[nodiscard]] Record address_record(Ipv4 address);
[[nodiscard]] Record address6_record(const Ipv6& address);
[[nodiscard]] Record pointer_record(std::string_view name);

/// At most `limit` bytes: records that don't fit are left out and TC is set. TTL is 0: addresses change with
/// containers.
[[nodiscard]] std::string render_reply(const Query& query, Code code, std::span<const Record> records,
                                       std::size_t limit);
/// The same question to another server, under another id.
[[nodiscard]] std::string render_forwarded(const Query& query, std::uint16_t id);
/// Is this packet the answer to that forwarded question?
[[nodiscard]] bool is_reply_to(std::string_view packet, const Query& query, std::uint16_t id);
[[nodiscard]] bool is_truncated(std::string_view reply);
[[nodiscard]] Code code_of(std::string_view reply);
/// An upstream's reply for our client: its id, cut to the question with TC set when it is too long.
[[nodiscard]] std::string relay_reply(std::string_view reply, const Query& query, std::size_t limit);

/// "4.3.2.1.in-addr.arpa" -> 1.2.3.4; 32 digits and "ip6.arpa" -> an IPv6 address. In lower case, as in Query.
[[nodiscard]] std::optional<IpAddress> parse_reverse_name(std::string_view name);

/// A possibly compressed name at `offset`, which moves behind it; nothing when it is malformed. Pointers may only lead
/// backwards, each further than the one before, so they end.
[[nodiscard]] std::optional<std::string> read_name(std::string_view packet, std::size_t& offset);
/// A record anywhere in a message.
struct RecordView {
    std::string name;
    std::uint16_t type = 0;
    std::uint16_t klass = 0;
    std::uint32_t ttl = 0;
    std::string_view data;
    std::size_t data_offset = 0;
};
[[nodiscard]] std::optional<RecordView> read_record(std::string_view packet, std::size_t& offset);
/// "a.b" -> "\1a\1b\0"; nothing when a label is empty or longer than 63 bytes or the whole longer than 255.
[[nodiscard]] std::optional<std::string> encode_name(std::string_view name);

}  // namespace compose::net::dns
