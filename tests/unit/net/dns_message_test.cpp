#include "net/dns_message.hpp"

#include <random>

#include <gtest/gtest.h>

#include "net/address.hpp"
#include "net/dns_answer.hpp"
#include "net/dns_table.hpp"

namespace compose::net {
namespace {

using namespace std::string_literals;
using dns::Code;
using dns::Parsed;

std::string header(int flags, int questions = 1, int answers = 0, int authorities = 0, int additionals = 0) {
    std::string out = "\x12\x34"s;
    for (const int value : {flags, questions, answers, authorities, additionals}) {
        out.push_back(static_cast<char>(value >> 8));
        out.push_back(static_cast<char>(value & 255));
    }
    return out;
}

std::string question(const std::string& name, int type = 1, int klass = 1) {
    std::string out = dns::encode_name(name).value();
    for (const int value : {type, klass}) {
        out.push_back(static_cast<char>(value >> 8));
        out.push_back(static_cast<char>(value & 255));
    }
    return out;
}

std::string opt(int size, int version = 0, bool dnssec = false) {
    return "\0\0\x29"s + std::string{static_cast<char>(size >> 8), static_cast<char>(size & 255)} + '\0' +
           static_cast<char>(version) + (dnssec ? '\x80' : '\0') + "\0\0\0"s;
}

const int kWanted = 0x0100;  // RD

TEST(DnsMessage, ReadsAQuery) {
    const auto parsed = dns::parse_query(header(kWanted) + question("Db.Example", 28));
    ASSERT_EQ(parsed.kind, Parsed::query);
    EXPECT_EQ(parsed.query.id, 0x1234);
    EXPECT_EQ(parsed.query.name, "db.example");
    EXPECT_EQ(parsed.query.question, question("Db.Example", 28));
    EXPECT_EQ(parsed.query.type, dns::kAaaa);
    EXPECT_FALSE(parsed.query.edns);
    EXPECT_EQ(parsed.query.udp_size, 512U);
}

TEST(DnsMessage, MalformedQueries) {
    const std::string good = header(kWanted) + question("db");
    struct Case {
        const char* what;
        std::string packet;
        Parsed kind;
        Code code;
    };
    const std::string long_label = header(kWanted) + std::string(1, '\x40') + std::string(64, 'a') + "\0\0\1\0\1"s;
    std::string long_name = header(kWanted);
    for (int i = 0; i < 5; ++i) long_name += '\x3f' + std::string(63, 'a');
    long_name += "\0\0\1\0\1"s;
    std::string longest = header(kWanted);  // 255 bytes with the final zero
    for (int i = 0; i < 3; ++i) longest += '\x3f' + std::string(63, 'a');
    longest += '\x3d' + std::string(61, 'a') + "\0\0\1\0\1"s;
    std::string one_more = header(kWanted);
    for (int i = 0; i < 3; ++i) one_more += '\x3f' + std::string(63, 'a');
    one_more += '\x3e' + std::string(62, 'a') + "\0\0\1\0\1"s;
    const std::vector<Case> cases{
        {"a reply", header(0x8180) + question("db"), Parsed::noise, Code::ok},
        {"a pointer to itself", header(kWanted) + "\xc0\x0c\0\1\0\1"s, Parsed::refusal, Code::format_error},
        {"a pointer forward", header(kWanted) + "\xc0\x20\0\1\0\1"s, Parsed::refusal, Code::format_error},
        {"a pointer into the header", header(kWanted) + "\xc0\x00\0\1\0\1"s, Parsed::refusal, Code::format_error},
        {"a label of 64", long_label, Parsed::refusal, Code::format_error},
        {"a name of 320", long_name, Parsed::refusal, Code::format_error},
        {"a name of 255", longest, Parsed::query, Code::ok},
        {"a name of 256", one_more, Parsed::refusal, Code::format_error},
        {"no question", header(kWanted, 0), Parsed::refusal, Code::format_error},
        {"two questions", header(kWanted, 2) + question("a") + question("b"), Parsed::refusal, Code::format_error},
        {"65535 questions", header(kWanted, 65535) + question("a"), Parsed::refusal, Code::format_error},
        {"counted but absent", header(kWanted, 1, 1) + question("a"), Parsed::refusal, Code::format_error},
        {"65535 absent", header(kWanted, 1, 65535, 65535, 65535) + question("a"), Parsed::refusal, Code::format_error},
        {"opcode 2", header(0x1000) + question("a"), Parsed::refusal, Code::not_implemented},
        {"opcode 15", header(0x7800) + question("a"), Parsed::refusal, Code::not_implemented},
        {"class CHAOS", header(kWanted) + question("a", 1, 3), Parsed::refusal, Code::refused},
        {"AXFR", header(kWanted) + question("a", 252), Parsed::refusal, Code::not_implemented},
        {"an unknown type", header(kWanted) + question("a", 65280), Parsed::query, Code::ok},
        {"OPT", header(kWanted, 1, 0, 0, 1) + question("a") + opt(1232, 0, true), Parsed::query, Code::ok},
        {"OPT twice", header(kWanted, 1, 0, 0, 2) + question("a") + opt(1232) + opt(1232), Parsed::refusal,
         Code::format_error},
        {"OPT of version 255", header(kWanted, 1, 0, 0, 1) + question("a") + opt(1232, 255), Parsed::refusal,
         Code::bad_version},
        {"OPT of size 0", header(kWanted, 1, 0, 0, 1) + question("a") + opt(0), Parsed::query, Code::ok},
        {"OPT of size 65535", header(kWanted, 1, 0, 0, 1) + question("a") + opt(65535), Parsed::query, Code::ok},
        {"OPT cut", (header(kWanted, 1, 0, 0, 1) + question("a") + opt(1232)).substr(0, 25), Parsed::refusal,
         Code::format_error},
        {"a dot in a label", header(kWanted) + "\3a.b\0\0\1\0\1"s, Parsed::query, Code::ok},
        {"a NUL in a label", header(kWanted) + "\3a\0b\0\0\1\0\1"s, Parsed::query, Code::ok},
        {"0xFF in a label", header(kWanted) + "\1\xff\0\0\1\0\1"s, Parsed::query, Code::ok},
    };
    for (const Case& test : cases) {
        const auto parsed = dns::parse_query(test.packet);
        EXPECT_EQ(parsed.kind, test.kind) << test.what;
        if (test.kind == Parsed::refusal) {
            EXPECT_EQ(parsed.code, test.code) << test.what;
        }
        EXPECT_LE(parsed.query.udp_size, dns::kOurUdpSize) << test.what;
        EXPECT_GE(parsed.query.udp_size, dns::kPlainUdpSize) << test.what;
    }
    for (std::size_t size = 0; size < dns::kHeaderSize; ++size)
        EXPECT_EQ(dns::parse_query(good.substr(0, size)).kind, Parsed::noise) << size;
    for (std::size_t size = dns::kHeaderSize; size < good.size(); ++size)
        EXPECT_EQ(dns::parse_query(good.substr(0, size)).code, Code::format_error) << size;
}

TEST(DnsMessage, LabelsWithDotsAreNoNamesOfOurs) {
    // "a.b" as one label is another name than the labels "a" and "b".
    EXPECT_EQ(dns::parse_query(header(kWanted) + "\3a.b\0\0\1\0\1"s).query.name, "");
    EXPECT_EQ(dns::parse_query(header(kWanted) + "\3a\0b\0\0\1\0\1"s).query.name, "");
    EXPECT_EQ(dns::parse_query(header(kWanted) + "\1a\1b\0\0\1\0\1"s).query.name, "a.b");
}

TEST(DnsMessage, NamesWithPointersEnd) {
    const std::string head = header(0x8180);
    const auto read = [](const std::string& packet, std::size_t offset) { return dns::read_name(packet, offset); };
    EXPECT_EQ(read(head + "\1a\0"s + "\1b\xc0\x0c"s, 15), "b.a");
    EXPECT_FALSE(read(head + "\xc0\x0c"s, 12));          // to itself
    EXPECT_FALSE(read(head + "\xc0\x0e\1a\0"s, 12));     // forward
    EXPECT_FALSE(read(head + "\xc0\x0e\xc0\x0c"s, 14));  // two in a ring
    EXPECT_FALSE(read(head + "\1a\xc0\x0c"s, 12));       // a loop that grows the name
    EXPECT_FALSE(read(head + "\x80zz"s, 12));            // neither length nor pointer
    EXPECT_FALSE(read(head + "\xc0"s, 12));              // half a pointer
    std::string chain = head + "\1a\0"s;                 // each pointer to the one before
    std::size_t target = 12;
    for (int i = 0; i < 127; ++i) {
        const std::size_t here = chain.size();
        chain += static_cast<char>(0xc0 | target >> 8);
        chain += static_cast<char>(target & 255);
        target = here;
    }
    EXPECT_EQ(read(chain, target), "a");
}

TEST(DnsMessage, ReadsServiceRecords) {
    std::string packet = header(0x8180, 0, 1) + "\3_ab\0\0\x21\0\1\0\0\0\x3c\0\x0b"s + "\0\1\0\2\0\x50\1c\1d\0"s;
    std::size_t offset = dns::kHeaderSize;
    const auto record = dns::read_record(packet, offset);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->type, dns::kSrv);
    EXPECT_EQ(record->ttl, 60U);
    std::size_t target = record->data_offset + 6;
    EXPECT_EQ(dns::read_name(packet, target), "c.d");
    EXPECT_EQ(offset, packet.size());
    packet.pop_back();
    offset = dns::kHeaderSize;
    EXPECT_FALSE(dns::read_record(packet, offset));
}

TEST(DnsMessage, RepliesStayBelowTheLimitAndSaySo) {
    const auto parsed = dns::parse_query(header(kWanted) + question("web"));
    std::vector<dns::Record> records;
    for (std::uint32_t i = 0; i < 500; ++i) records.push_back(dns::address_record(Ipv4{0x0a000000 + i}));
    const std::string cut = dns::render_reply(parsed.query, Code::ok, records, 512);
    EXPECT_LE(cut.size(), 512U);
    EXPECT_TRUE(dns::is_truncated(cut));
    const std::string whole = dns::render_reply(parsed.query, Code::ok, records, dns::kMaxTcpSize);
    EXPECT_FALSE(dns::is_truncated(whole));
    EXPECT_EQ(whole.size(), dns::kHeaderSize + parsed.query.question.size() + 500 * 16);
    EXPECT_TRUE(dns::is_reply_to(whole, parsed.query, 0x1234));
}

TEST(DnsMessage, TakesOnlyTheRightReply) {
    const auto query = dns::parse_query(header(kWanted) + question("web.example")).query;
    const std::string sent = dns::render_forwarded(query, 0x4321);
    EXPECT_EQ(dns::parse_query(sent).query.id, 0x4321);
    std::string reply = header(0x8180) + question("WEB.example");
    reply[0] = '\x43';
    reply[1] = '\x21';
    EXPECT_TRUE(dns::is_reply_to(reply, query, 0x4321));
    EXPECT_FALSE(dns::is_reply_to(reply, query, 0x4322));
    EXPECT_FALSE(dns::is_reply_to(sent, query, 0x4321));  // no reply
    EXPECT_FALSE(dns::is_reply_to(reply.substr(0, 20), query, 0x4321));
    std::string other = reply;
    other[14] = 'x';
    EXPECT_FALSE(dns::is_reply_to(other, query, 0x4321));
    std::string type = reply;
    type[type.size() - 3] = 28;
    EXPECT_FALSE(dns::is_reply_to(type, query, 0x4321));
    const std::string relayed = dns::relay_reply(reply + std::string(2000, 'x'), query, 512);
    EXPECT_LE(relayed.size(), 512U);
    EXPECT_TRUE(dns::is_truncated(relayed));
    EXPECT_TRUE(dns::is_reply_to(relayed, query, 0x1234));
}

TEST(DnsMessage, RandomBytesDoNoHarm) {
    std::mt19937 random(1);
    const std::string good = header(kWanted, 1, 1, 1, 1) + question("db.example") +
                             "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"s + "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"s + opt(1232);
    for (int round = 0; round < 200'000; ++round) {
        std::string packet = good.substr(0, random() % (good.size() + 1));
        for (auto flips = random() % 6; flips > 0 && !packet.empty(); --flips)
            packet[random() % packet.size()] = static_cast<char>(random());
        const auto parsed = dns::parse_query(packet);
        if (parsed.kind == Parsed::noise) continue;
        EXPECT_LE(dns::render_reply(parsed.query, parsed.code, {}, parsed.query.udp_size).size(),
                  parsed.query.udp_size);
    }
}

TEST(DnsMessage, ReverseNames) {
    EXPECT_EQ(dns::parse_reverse_name("4.3.2.1.in-addr.arpa"), IpAddress(Ipv4{0x01020304}));
    const std::string zeros = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.";
    EXPECT_EQ(dns::parse_reverse_name("b.a.9.0." + zeros + "0.0.d.f.ip6.arpa"), IpAddress(*Ipv6::parse("fd00::9ab")));
    for (const std::string& bad :
         {zeros + "0.0.0.0.0.0.d.f.0.ip6.arpa", zeros + "0.0.0.0.0.0.d.ip6.arpa", zeros + "0.0.0.0.0.0.d.g.ip6.arpa",
          zeros + "0.0.0.0.0.0.d..ip6.arpa", zeros + "0.0.0.0.0.0.dd0f.ip6.arpa", std::string(".ip6.arpa")})
        EXPECT_FALSE(dns::parse_reverse_name(bad)) << bad;
    for (const char* bad : {"3.2.1.in-addr.arpa", "256.3.2.1.in-addr.arpa", "a.3.2.1.in-addr.arpa", "in-addr.arpa",
                            "5.4.3.2.1.in-addr.arpa", "04.3.2.1.in-addr.arpa", "1.0.0.0.ip6.arpa", ""})
        EXPECT_FALSE(dns::parse_reverse_name(bad)) << bad;
}

DnsEndpoint endpoint(const std::string& network, const std::string& address, std::vector<std::string> names,
                     const std::string& container) {
    return {network, Ipv4::parse(address).value(), std::move(names), container, "p_" + network};
}

TEST(DnsTable, AnswersDependOnWhoAsks) {
    DnsTable table;
    table.assign({endpoint("front", "10.0.0.3", {"web", "WWW"}, "p-web-2"),
                  endpoint("front", "10.0.0.2", {"web"}, "p-web-1"), endpoint("back", "10.1.0.2", {"web"}, "p-web-1"),
                  endpoint("back", "10.1.0.9", {"db"}, "p-db-1")});
    using Addresses = std::vector<Ipv4>;
    const Addresses both{*Ipv4::parse("10.0.0.2"), *Ipv4::parse("10.0.0.3")};
    EXPECT_EQ(table.lookup("WEB.", {"front"}).addresses, both);
    EXPECT_EQ(table.lookup("www", {"front"}).addresses, Addresses{*Ipv4::parse("10.0.0.3")});
    EXPECT_EQ(table.lookup("web.p_front", {"front"}).addresses, both);
    EXPECT_EQ(table.lookup("web", {"back", "front"}).addresses, Addresses{*Ipv4::parse("10.1.0.2")});
    EXPECT_FALSE(table.lookup("db", {"front"}).known);
    EXPECT_FALSE(table.lookup("web", {}).known);
    EXPECT_EQ(table.reverse(*Ipv4::parse("10.1.0.9"), {"back"}), "p-db-1.p_back");
    EXPECT_EQ(table.reverse(*Ipv4::parse("10.1.0.9"), {"front"}), "");
    DnsEndpoint both_families = endpoint("back", "10.1.0.9", {"db", "DB"}, "p-db-1");
    both_families.address6 = *Ipv6::parse("fd00::9");
    table.assign({both_families});
    EXPECT_EQ(table.lookup("db", {"back"}).addresses6.size(), 1U);
    EXPECT_EQ(table.reverse(*Ipv6::parse("fd00::9"), {"back"}), "p-db-1.p_back");
    EXPECT_EQ(table.reverse(*Ipv6::parse("fd00::9"), {"front"}), "");
    table.assign({});
    EXPECT_FALSE(table.lookup("web", {"front"}).known);
}

TEST(DnsAnswer, OwnNamesAreNeverForwarded) {
    DnsTable table;
    table.assign({endpoint("n", "10.0.0.2", {"web"}, "p-web-1"), endpoint("n", "10.0.0.3", {"web"}, "p-web-2")});
    const auto ask = [&](const std::string& name, int type, bool forward = true, unsigned turn = 0) {
        return answer_locally(dns::parse_query(header(kWanted) + question(name, type)).query, table,
                              {.networks = {"n"}, .forward = forward, .upstreams = {}}, turn, 512);
    };
    EXPECT_TRUE(ask("web", 1).value().ends_with("\x0a\0\0\3"s));
    EXPECT_TRUE(ask("web", 1, true, 1).value().ends_with("\x0a\0\0\2"s));
    EXPECT_EQ(dns::code_of(ask("web", 28).value()), Code::ok);  // empty, not "no such name"
    EXPECT_EQ(ask("web", 28).value().size(), dns::kHeaderSize + question("web").size());
    EXPECT_EQ(dns::code_of(ask("web", 15).value()), Code::ok);
    EXPECT_NE(ask("2.0.0.10.in-addr.arpa", 12).value().find("\7p-web-1\3p_n\0"s), std::string::npos);
    EXPECT_FALSE(ask("other", 1));
    EXPECT_FALSE(ask("9.0.0.10.in-addr.arpa", 12));
    EXPECT_EQ(dns::code_of(ask("other.example", 1, false).value()), Code::no_such_name);
    EXPECT_EQ(dns::code_of(ask("9.0.0.10.in-addr.arpa", 12, false).value()), Code::no_such_name);
}

}  // namespace
}  // namespace compose::net
