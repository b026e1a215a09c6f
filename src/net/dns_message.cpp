#include "net/dns_message.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace compose::net::dns {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kOptSize = 11;
constexpr std::uint16_t kFlagReply = 0x8000;
constexpr std::uint16_t kFlagAuthority = 0x0400;
constexpr std::uint16_t kFlagTruncated = 0x0200;
constexpr std::uint16_t kFlagRecursionWanted = 0x0100;
constexpr std::uint16_t kFlagRecursionOffered = 0x0080;
constexpr std::uint16_t kFlagsAuthentic = 0x0030;  // AD and CD
constexpr std::uint16_t kDnssecOk = 0x8000;
constexpr unsigned kAxfrTypes = 251;  // IXFR, AXFR, MAILB and MAILA: all but ANY (255) are no questions for a resolver

std::uint16_t get16(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8U |
                                      static_cast<unsigned char>(bytes[at + 1]));
}

void put16(std::string& out, unsigned value) {
    out.push_back(static_cast<char>(value >> 8U & 255U));
    out.push_back(static_cast<char>(value & 255U));
}

void put32(std::string& out, std::uint32_t value) {
    put16(out, value >> 16U);
    put16(out, value);
}

void set16(std::string& out, std::size_t at, unsigned value) {
    out[at] = static_cast<char>(value >> 8U & 255U);
    out[at + 1] = static_cast<char>(value & 255U);
}

unsigned opcode(std::uint16_t flags) {
    return flags >> 11U & 15U;
}

// The question's name, which compression can't apply to: nothing stands before it.
bool read_question(std::string_view packet, std::size_t& offset, Query& query) {
    const std::size_t start = offset;
    bool plain = true;
    for (;;) {
        if (offset >= packet.size()) return false;
        const auto length = static_cast<unsigned char>(packet[offset++]);
        if (length == 0) break;
        if (length > kMaxLabel || offset + length > packet.size() || offset + length - start >= kMaxName) return false;
        if (!query.name.empty()) query.name.push_back('.');
        for (const char c : packet.substr(offset, length)) {
            plain = plain && c > ' ' && c < 127 && c != '.';
            query.name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
        }
        offset += length;
    }
    if (!plain) query.name.clear();
    if (offset + 4 > packet.size()) return false;
    query.type = get16(packet, offset);
    query.klass = get16(packet, offset + 2);
    offset += 4;
    query.question = packet.substr(start, offset - start);
    return true;
}

// Everything behind the question; only OPT means something to us.
Code read_rest(std::string_view packet, std::size_t offset, Query& query) {
    const unsigned count = get16(packet, 6) + get16(packet, 8) + get16(packet, 10);
    unsigned version = 0;
    for (unsigned i = 0; i < count; ++i) {
        const auto record = read_record(packet, offset);
        if (!record) return Code::format_error;
        if (record->type != kOpt) continue;
        if (query.edns || !record->name.empty()) return Code::format_error;
        query.edns = true;
        query.udp_size = std::clamp<std::size_t>(record->klass, kPlainUdpSize, kOurUdpSize);
        query.dnssec = (record->ttl & kDnssecOk) != 0;
        version = record->ttl >> 16U & 255U;
    }
    return version == 0 ? Code::ok : Code::bad_version;
}

void put_opt(std::string& out, const Query& query, unsigned extended_code) {
    out.push_back('\0');
    put16(out, kOpt);
    put16(out, kOurUdpSize);
    put32(out, extended_code << 24U | (query.dnssec ? kDnssecOk : 0U));
    put16(out, 0);
}

void put_header(std::string& out, std::uint16_t id, unsigned flags, bool question, bool opt) {
    put16(out, id);
    put16(out, flags);
    put16(out, question ? 1 : 0);
    put16(out, 0);
    put16(out, 0);
    put16(out, opt ? 1 : 0);
}

}  // namespace

ParsedQuery parse_query(std::string_view packet) {
    ParsedQuery parsed;
    if (packet.size() < kHeaderSize) return parsed;
    Query& query = parsed.query;
    query.id = get16(packet, 0);
    query.flags = get16(packet, 2);
    if ((query.flags & kFlagReply) != 0) return parsed;
    parsed.kind = Parsed::refusal;
    if (opcode(query.flags) != 0) {
        parsed.code = Code::not_implemented;
        return parsed;
    }
    parsed.code = Code::format_error;
    std::size_t offset = kHeaderSize;
    if (get16(packet, 4) != 1) return parsed;
    if (!read_question(packet, offset, query)) return parsed;
    parsed.code = read_rest(packet, offset, query);
    if (parsed.code != Code::ok) return parsed;
    if ((query.type >= kAxfrTypes && query.type < kAny) || query.type == kOpt) parsed.code = Code::not_implemented;
    if (query.klass != kInternet) parsed.code = Code::refused;
    if (parsed.code == Code::ok) parsed.kind = Parsed::query;
    return parsed;
}

Record address_record(Ipv4 address) {
    Record record;
    put32(record.data, address.value);
    return record;
}

Record address6_record(const Ipv6& address) {
    return {kAaaa, std::string(address.bytes.begin(), address.bytes.end())};
}

Record pointer_record(std::string_view name) {
    return {kPtr, encode_name(name).value_or(std::string(1, '\0'))};
}

std::string render_reply(const Query& query, Code code, std::span<const Record> records, std::size_t limit) {
    const auto number = static_cast<unsigned>(code);
    const unsigned kept = query.flags & (kFlagRecursionWanted | 0x7800U);
    const unsigned authority = code == Code::ok || code == Code::no_such_name ? kFlagAuthority : 0U;
    std::string out;
    out.reserve(std::min<std::size_t>(limit, 64 + query.question.size() + records.size() * 16));
    put_header(out, query.id, kFlagReply | authority | kFlagRecursionOffered | kept | (number & 15U),
               !query.question.empty(), query.edns);
    out += query.question;
    const std::size_t room = limit - std::min(limit, query.edns ? kOptSize : 0);
    unsigned answers = 0;
    for (const Record& record : records) {
        if (out.size() + 12 + record.data.size() > room) {
            set16(out, 2, get16(out, 2) | kFlagTruncated);
            break;
        }
        put16(out, 0xc000U | kHeaderSize);  // the question's name
        put16(out, record.type);
        put16(out, kInternet);
        put32(out, 0);
        put16(out, static_cast<unsigned>(record.data.size()));
        out += record.data;
        ++answers;
    }
    set16(out, 6, answers);
    if (query.edns) put_opt(out, query, number >> 4U);
    return out;
}

std::string render_forwarded(const Query& query, std::uint16_t id) {
    std::string out;
    put_header(out, id, query.flags & (kFlagRecursionWanted | kFlagsAuthentic), true, query.edns);
    out += query.question;
    if (query.edns) put_opt(out, query, 0);
    return out;
}

bool is_reply_to(std::string_view packet, const Query& query, std::uint16_t id) {
    const std::size_t size = query.question.size();
    if (packet.size() < kHeaderSize + size || size < 4 || get16(packet, 0) != id) return false;
    const std::uint16_t flags = get16(packet, 2);
    if ((flags & kFlagReply) == 0 || opcode(flags) != 0 || get16(packet, 4) != 1) return false;
    const std::string_view question = packet.substr(kHeaderSize, size);
    // Names without regard to case, type and class exactly.
    return lower(question.substr(0, size - 4)) == lower(std::string_view(query.question).substr(0, size - 4)) &&
           question.substr(size - 4) == std::string_view(query.question).substr(size - 4);
}

bool is_truncated(std::string_view reply) {
    return reply.size() >= kHeaderSize && (get16(reply, 2) & kFlagTruncated) != 0;
}

Code code_of(std::string_view reply) {
    if (reply.size() < kHeaderSize) return Code::server_failure;
    return static_cast<Code>(get16(reply, 2) & 15U);
}

std::string relay_reply(std::string_view reply, const Query& query, std::size_t limit) {
    std::string out(reply);
    if (out.size() > limit) {
        out.resize(kHeaderSize);
        out += query.question;
        set16(out, 2, get16(out, 2) | kFlagTruncated);
        set16(out, 6, 0);
        set16(out, 8, 0);
        set16(out, 10, query.edns ? 1 : 0);
        if (query.edns) put_opt(out, query, 0);
    }
    set16(out, 0, query.id);
    return out;
}

namespace {

std::optional<Ipv4> parse_reverse_digits4(std::string_view digits) {
    const auto backwards = Ipv4::parse(digits);
    if (!backwards) return std::nullopt;
    const std::uint32_t value = backwards->value;
    return Ipv4{value >> 24U | (value >> 8U & 0xff00U) | (value << 8U & 0xff0000U) | value << 24U};
}

// Half a byte a label, the last one of the address first.
std::optional<Ipv6> parse_reverse_digits6(std::string_view digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    Ipv6 address;
    if (digits.size() != 4 * address.bytes.size() - 1) return std::nullopt;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i % 2 == 1) {
            if (digits[i] != '.') return std::nullopt;
            continue;
        }
        const auto value = kDigits.find(digits[i]);
        if (value == std::string_view::npos) return std::nullopt;
        auto& byte = address.bytes[address.bytes.size() - 1 - i / 4];
        byte = static_cast<std::uint8_t>(byte | value << (i % 4 == 0 ? 0U : 4U));
    }
    return address;
}

}  // namespace

std::optional<IpAddress> parse_reverse_name(std::string_view name) {
    constexpr std::string_view kSuffix = ".in-addr.arpa";
    constexpr std::string_view kSuffix6 = ".ip6.arpa";
    if (name.ends_with(kSuffix)) return parse_reverse_digits4(name.substr(0, name.size() - kSuffix.size()));
    if (name.ends_with(kSuffix6)) return parse_reverse_digits6(name.substr(0, name.size() - kSuffix6.size()));
    return std::nullopt;
}

std::optional<std::string> read_name(std::string_view packet, std::size_t& offset) {
    std::string name;
    std::size_t at = offset;
    std::size_t lowest = offset;  // a pointer must lead below everything that was read so far
    bool jumped = false;
    for (std::size_t total = 0;;) {
        if (at >= packet.size()) return std::nullopt;
        const auto length = static_cast<unsigned char>(packet[at]);
        if (length >= 0xc0) {
            if (at + 1 >= packet.size()) return std::nullopt;
            const std::size_t target = get16(packet, at) & 0x3fffU;
            if (target >= lowest) return std::nullopt;
            if (!jumped) offset = at + 2;
            jumped = true;
            lowest = at = target;
            continue;
        }
        total += length + 1U;
        if (length > kMaxLabel || total > kMaxName || at + 1 + length > packet.size()) return std::nullopt;
        if (!jumped) offset = at + 1 + length;
        if (length == 0) return name;
        if (!name.empty()) name.push_back('.');
        name += packet.substr(at + 1, length);
        at += 1U + length;
    }
}

std::optional<RecordView> read_record(std::string_view packet, std::size_t& offset) {
    auto name = read_name(packet, offset);
    if (!name || offset + 10 > packet.size()) return std::nullopt;
    RecordView record;
    record.name = std::move(*name);
    record.type = get16(packet, offset);
    record.klass = get16(packet, offset + 2);
    record.ttl = static_cast<std::uint32_t>(get16(packet, offset + 4)) << 16U | get16(packet, offset + 6);
    const std::size_t size = get16(packet, offset + 8);
    offset += 10;
    if (offset + size > packet.size()) return std::nullopt;
    record.data_offset = offset;
    record.data = packet.substr(offset, size);
    offset += size;
    return record;
}

std::optional<std::string> encode_name(std::string_view name) {
    std::string out;
    while (!name.empty()) {
        const std::string_view label = name.substr(0, name.find('.'));
        if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
        out.push_back(static_cast<char>(label.size()));
        out += label;
        name.remove_prefix(std::min(label.size() + 1, name.size()));
    }
    out.push_back('\0');
    if (out.size() > kMaxName) return std::nullopt;
    return out;
}

}  // namespace compose::net::dns
