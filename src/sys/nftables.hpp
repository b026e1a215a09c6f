// nf_tables over nfnetlink: rules from expressions, transactions from messages. Knows the kernel's encoding and nothing
// of networks or ports: what the rules mean stands in net/nft_rules.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sys/netlink.hpp"

namespace compose::sys::nft {

enum class Family : std::uint8_t { inet = 1, ipv4 = 2, ipv6 = 10 };
enum class Hook : std::uint8_t { prerouting = 0, input = 1, forward = 2, output = 3, postrouting = 4 };
enum class Meta : std::uint8_t { input_name = 6, output_name = 7, network_protocol = 15, transport_protocol = 16 };
enum class Header : std::uint8_t { network = 1, transport = 2 };
enum class Conntrack : std::uint8_t { state = 0, status = 2 };
enum class Verdict : std::uint8_t { drop, accept, leave };
enum class Address : std::uint8_t { of_destination, of_destination_on_input };

/// One rule: expressions in the order in which the kernel runs them. A register is named by its number of 4-byte words
/// from the start of the register file (0 to 15); a name takes four words.
class Rule {
public:
    Rule& meta(Meta key, unsigned word = 0);
    Rule& payload(Header header, unsigned offset, unsigned size, unsigned word = 0);
    Rule& equals(std::string_view bytes, unsigned word = 0);
    Rule& differs(std::string_view bytes, unsigned word = 0);
    Rule& in_set(const std::string& set, unsigned word = 0);
    Rule& not_in_set(const std::string& set, unsigned word = 0);
    Rule& map(const std::string& map, unsigned key_word, unsigned data_word);
    Rule& any_bit(Conntrack key, std::uint32_t mask);                               // true when one of the bits is set
    Rule& address_type(Address which, std::uint32_t type);                          // RTN_LOCAL and so on
    Rule& set_port(unsigned offset, std::uint16_t port, unsigned checksum_offset);  // in the transport header
    Rule& dnat(Family family, unsigned address_word, unsigned port_word);
    Rule& snat(Family family, unsigned address_word);
    Rule& masquerade();
    Rule& verdict(Verdict verdict);
    Rule& jump(const std::string& chain);

    struct Expression {
        std::string name;
        std::string attributes;  // encoded
    };
    [[nodiscard]] const std::vector<Expression>& expressions() const { return expressions_; }

private:
    Rule& add(const char* name, const NetlinkBuffer& attributes);
    Rule& compare(unsigned operation, std::string_view bytes, unsigned word);
    Rule& lookup(const std::string& set, unsigned word, std::optional<unsigned> data_word, bool inverted);

    std::vector<Expression> expressions_;
};

struct Chain {
    std::string name;
    std::string type;  // "filter", "nat"; empty: no hook, only jumped to
    Hook hook = Hook::prerouting;
    int priority = 0;
    std::vector<Rule> rules;
};

struct Set {
    std::string name;
    std::uint32_t key_type = 0;  // only for those who list it
    std::uint32_t key_length = 0;
    std::uint32_t data_type = 0;
    std::uint32_t data_length = 0;        // not 0: a map
    std::vector<std::uint32_t> fields{};  // sizes of the key's parts, each of which then is a range
    bool host_order = false;  // the key's parts are in the order of the host, such as names; for those who list it
};

struct Element {
    std::string key;
    std::string data{};     // of a map
    std::string key_end{};  // of a set of ranges: the last key of this one
    friend auto operator<=>(const Element&, const Element&) = default;
};

/// Changes that happen together or not at all.
class Transaction {
public:
    /// With `generation` the kernel refuses it (ERESTART) when anyone has changed anything since.
    explicit Transaction(Family family, std::optional<std::uint32_t> generation = {});

    void add_table(const std::string& table, std::string_view user_data);  // no error when it is there
    void add_new_table(const std::string& table);                          // EEXIST when it is there
    void delete_table(const std::string& table);
    void add_chain(const std::string& table, const Chain& chain);  // with its rules
    void delete_chain(const std::string& table, const std::string& chain);
    void delete_rules(const std::string& table);             // of all chains
    void add_set(const std::string& table, const Set& set);  // no error when it is there
    void add_elements(const std::string& table, const std::string& set, std::span<const Element> elements);
    void delete_elements(const std::string& table, const std::string& set, std::span<const Element> elements);

    /// Empty: committed.
    [[nodiscard]] std::vector<NetlinkFailure> commit(NetlinkSocket& socket);
    [[nodiscard]] bool empty() const { return messages_.count() <= 1; }

private:
    void begin(unsigned message, unsigned flags);
    void add_rule(const std::string& table, const std::string& chain, const Rule& rule);
    void append_elements(unsigned message, unsigned flags, const std::string& table, const std::string& set,
                         std::span<const Element> elements);

    Family family_;
    NetlinkBuffer messages_;
};

/// What the kernel has.
struct ChainState {
    std::string name;
    std::string type;
    Hook hook = Hook::prerouting;
    int priority = 0;
    unsigned uses = 0;  // its rules and the jumps to it
};
struct TableState {
    std::string user_data;
    std::vector<ChainState> chains;
    std::vector<std::string> sets;
};
[[nodiscard]] NetlinkSocket open_socket();
[[nodiscard]] std::uint32_t generation(NetlinkSocket& socket);
/// Nothing when there is no such table.
[[nodiscard]] std::optional<TableState> inspect_table(NetlinkSocket& socket, Family family, const std::string& table);
/// Empty also when there is no such set.
[[nodiscard]] std::vector<Element> list_elements(NetlinkSocket& socket, Family family, const std::string& table,
                                                 const std::string& set);

}  // namespace compose::sys::nft
