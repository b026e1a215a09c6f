#include "sys/nftables.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstring>

#include "sys/error.hpp"

namespace compose::sys::nft {
namespace {

constexpr char kUserDataKeyByteOrder = 0;
constexpr std::size_t kElementsPerMessage = 400;  // far below the longest attribute

// The four 16-byte registers and the sixteen 4-byte ones are the same memory. Tools expect the former where they fit.
std::uint32_t register_at(unsigned word) {
    return word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word;
}

// Attributes outside of a message: built behind a throw-away header.
class Attributes : public NetlinkBuffer {
public:
    Attributes() { begin(0, 0, nullptr, 0); }
    [[nodiscard]] std::string encoded() const { return std::string(bytes().substr(sizeof(nlmsghdr))); }
};

void put_data(NetlinkBuffer& buffer, unsigned type, std::string_view bytes) {
    const auto nest = buffer.open(type);
    buffer.attribute(NFTA_DATA_VALUE, bytes);
    buffer.close(nest);
}

nfgenmsg generic(std::uint8_t family, std::uint16_t resource = 0) {
    nfgenmsg body{};
    body.nfgen_family = family;
    body.version = NFNETLINK_V0;
    body.res_id = htons(resource);
    return body;
}

constexpr unsigned type_of(unsigned message) {
    return NFNL_SUBSYS_NFTABLES << 8U | message;
}

std::string_view text_of(std::string_view value) {
    return value.substr(0, value.find('\0'));
}

}  // namespace

Rule& Rule::add(const char* name, const NetlinkBuffer& attributes) {
    expressions_.push_back({name, std::string(attributes.bytes().substr(sizeof(nlmsghdr)))});
    return *this;
}

Rule& Rule::meta(Meta key, unsigned word) {
    Attributes a;
    a.attribute_be32(NFTA_META_DREG, register_at(word));
    a.attribute_be32(NFTA_META_KEY, static_cast<std::uint32_t>(key));
    return add("meta", a);
}

Rule& Rule::payload(Header header, unsigned offset, unsigned size, unsigned word) {
    Attributes a;
    a.attribute_be32(NFTA_PAYLOAD_DREG, register_at(word));
    a.attribute_be32(NFTA_PAYLOAD_BASE, static_cast<std::uint32_t>(header));
    a.attribute_be32(NFTA_PAYLOAD_OFFSET, offset);
    a.attribute_be32(NFTA_PAYLOAD_LEN, size);
    return add("payload", a);
}

Rule& Rule::compare(unsigned operation, std::string_view bytes, unsigned word) {
    Attributes a;
    a.attribute_be32(NFTA_CMP_SREG, register_at(word));
    a.attribute_be32(NFTA_CMP_OP, operation);
    put_data(a, NFTA_CMP_DATA, bytes);
    return add("cmp", a);
}

Rule& Rule::equals(std::string_view bytes, unsigned word) {
    return compare(NFT_CMP_EQ, bytes, word);
}
Rule& Rule::differs(std::string_view bytes, unsigned word) {
    return compare(NFT_CMP_NEQ, bytes, word);
}

Rule& Rule::lookup(const std::string& set, unsigned word, std::optional<unsigned> data_word, bool inverted) {
    Attributes a;
    a.text(NFTA_LOOKUP_SET, set);
    a.attribute_be32(NFTA_LOOKUP_SREG, register_at(word));
    if (data_word) a.attribute_be32(NFTA_LOOKUP_DREG, register_at(*data_word));
    if (inverted) a.attribute_be32(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
    return add("lookup", a);
}

Rule& Rule::in_set(const std::string& set, unsigned word) {
    return lookup(set, word, std::nullopt, false);
}
Rule& Rule::not_in_set(const std::string& set, unsigned word) {
    return lookup(set, word, std::nullopt, true);
}
Rule& Rule::map(const std::string& map, unsigned key_word, unsigned data_word) {
    return lookup(map, key_word, data_word, false);
}

Rule& Rule::any_bit(Conntrack key, std::uint32_t mask) {
    Attributes load;
    load.attribute_be32(NFTA_CT_DREG, register_at(0));
    load.attribute_be32(NFTA_CT_KEY, static_cast<std::uint32_t>(key));
    add("ct", load);
    const auto bytes = [](const std::uint32_t& value) {
        return std::string_view(reinterpret_cast<const char*>(&value), sizeof value);
    };
    const std::uint32_t zero = 0;
    Attributes both;
    both.attribute_be32(NFTA_BITWISE_SREG, register_at(0));
    both.attribute_be32(NFTA_BITWISE_DREG, register_at(0));
    both.attribute_be32(NFTA_BITWISE_LEN, sizeof mask);
    put_data(both, NFTA_BITWISE_MASK, bytes(mask));  // in the order of the host, as the kernel keeps these
    put_data(both, NFTA_BITWISE_XOR, bytes(zero));
    add("bitwise", both);
    return differs(bytes(zero));
}

Rule& Rule::address_type(Address which, std::uint32_t type) {
    Attributes a;
    a.attribute_be32(NFTA_FIB_DREG, register_at(0));
    a.attribute_be32(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    a.attribute_be32(NFTA_FIB_FLAGS,
                     which == Address::of_destination ? NFTA_FIB_F_DADDR : NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF);
    add("fib", a);
    return equals({reinterpret_cast<const char*>(&type), sizeof type});
}

Rule& Rule::set_port(unsigned offset, std::uint16_t port, unsigned checksum_offset) {
    const std::uint16_t network_order = htons(port);
    Attributes value;
    value.attribute_be32(NFTA_IMMEDIATE_DREG, register_at(0));
    put_data(value, NFTA_IMMEDIATE_DATA, {reinterpret_cast<const char*>(&network_order), sizeof network_order});
    add("immediate", value);
    Attributes write;
    write.attribute_be32(NFTA_PAYLOAD_SREG, register_at(0));
    write.attribute_be32(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
    write.attribute_be32(NFTA_PAYLOAD_OFFSET, offset);
    write.attribute_be32(NFTA_PAYLOAD_LEN, sizeof network_order);
    write.attribute_be32(NFTA_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
    write.attribute_be32(NFTA_PAYLOAD_CSUM_OFFSET, checksum_offset);
    return add("payload", write);
}

Rule& Rule::dnat(Family family, unsigned address_word, unsigned port_word) {
    Attributes a;
    a.attribute_be32(NFTA_NAT_TYPE, NFT_NAT_DNAT);
    a.attribute_be32(NFTA_NAT_FAMILY, static_cast<std::uint32_t>(family));
    a.attribute_be32(NFTA_NAT_REG_ADDR_MIN, register_at(address_word));
    a.attribute_be32(NFTA_NAT_REG_PROTO_MIN, register_at(port_word));
    return add("nat", a);
}

Rule& Rule::masquerade() {
    return add("masq", Attributes{});
}

namespace {

void put_verdict(NetlinkBuffer& buffer, std::int32_t code, const std::string& chain) {
    buffer.attribute_be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    const auto data = buffer.open(NFTA_IMMEDIATE_DATA);
    const auto verdict = buffer.open(NFTA_DATA_VERDICT);
    buffer.attribute_be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
    if (!chain.empty()) buffer.text(NFTA_VERDICT_CHAIN, chain);
    buffer.close(verdict);
    buffer.close(data);
}

}  // namespace

Rule& Rule::verdict(Verdict verdict) {
    Attributes a;
    put_verdict(a, verdict == Verdict::drop ? NF_DROP : verdict == Verdict::accept ? NF_ACCEPT : NFT_RETURN, {});
    return add("immediate", a);
}

Rule& Rule::jump(const std::string& chain) {
    Attributes a;
    put_verdict(a, NFT_JUMP, chain);
    return add("immediate", a);
}

Transaction::Transaction(Family family, std::optional<std::uint32_t> generation) : family_(family) {
    messages_.begin(NFNL_MSG_BATCH_BEGIN, 0, generic(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    if (generation) messages_.attribute_be32(NFNL_BATCH_GENID, *generation);
}

void Transaction::begin(unsigned message, unsigned flags) {
    messages_.begin(type_of(message), flags, generic(static_cast<std::uint8_t>(family_)));
}

void Transaction::add_table(const std::string& table, std::string_view user_data) {
    begin(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    messages_.text(NFTA_TABLE_NAME, table);
    if (!user_data.empty()) messages_.attribute(NFTA_TABLE_USERDATA, user_data);
}

void Transaction::add_new_table(const std::string& table) {
    begin(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    messages_.text(NFTA_TABLE_NAME, table);
}

void Transaction::delete_table(const std::string& table) {
    begin(NFT_MSG_DELTABLE, 0);
    messages_.text(NFTA_TABLE_NAME, table);
}

void Transaction::add_chain(const std::string& table, const Chain& chain) {
    begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    messages_.text(NFTA_CHAIN_TABLE, table);
    messages_.text(NFTA_CHAIN_NAME, chain.name);
    if (!chain.type.empty()) {
        const auto hook = messages_.open(NFTA_CHAIN_HOOK);
        messages_.attribute_be32(NFTA_HOOK_HOOKNUM, static_cast<std::uint32_t>(chain.hook));
        messages_.attribute_be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
        messages_.close(hook);
        messages_.attribute_be32(NFTA_CHAIN_POLICY, NF_ACCEPT);
        messages_.text(NFTA_CHAIN_TYPE, chain.type);
    }
    for (const Rule& rule : chain.rules) add_rule(table, chain.name, rule);
}

void Transaction::delete_chain(const std::string& table, const std::string& chain) {
    begin(NFT_MSG_DELCHAIN, 0);
    messages_.text(NFTA_CHAIN_TABLE, table);
    messages_.text(NFTA_CHAIN_NAME, chain);
}

void Transaction::delete_rules(const std::string& table) {
    begin(NFT_MSG_DELRULE, 0);
    messages_.text(NFTA_RULE_TABLE, table);
}

void Transaction::add_rule(const std::string& table, const std::string& chain, const Rule& rule) {
    begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    messages_.text(NFTA_RULE_TABLE, table);
    messages_.text(NFTA_RULE_CHAIN, chain);
    const auto expressions = messages_.open(NFTA_RULE_EXPRESSIONS);
    for (const Rule::Expression& expression : rule.expressions()) {
        const auto element = messages_.open(NFTA_LIST_ELEM);
        messages_.text(NFTA_EXPR_NAME, expression.name);
        const auto data = messages_.open(NFTA_EXPR_DATA);
        messages_.raw(expression.attributes.data(), expression.attributes.size());
        messages_.close(data);
        messages_.close(element);
    }
    messages_.close(expressions);
}

void Transaction::add_set(const std::string& table, const Set& set) {
    begin(NFT_MSG_NEWSET, NLM_F_CREATE);
    messages_.text(NFTA_SET_TABLE, table);
    messages_.text(NFTA_SET_NAME, set.name);
    const std::uint32_t ranges = set.fields.empty() ? 0U : std::uint32_t{NFT_SET_INTERVAL | NFT_SET_CONCAT};
    messages_.attribute_be32(NFTA_SET_FLAGS, ranges | (set.data_length > 0 ? std::uint32_t{NFT_SET_MAP} : 0U));
    messages_.attribute_be32(NFTA_SET_KEY_TYPE, set.key_type);
    messages_.attribute_be32(NFTA_SET_KEY_LEN, set.key_length);
    if (set.data_length > 0) {
        messages_.attribute_be32(NFTA_SET_DATA_TYPE, set.data_type);
        messages_.attribute_be32(NFTA_SET_DATA_LEN, set.data_length);
    }
    messages_.attribute_be32(NFTA_SET_ID, messages_.count());
    if (ranges != 0) {
        const auto description = messages_.open(NFTA_SET_DESC);
        const auto fields = messages_.open(NFTA_SET_DESC_CONCAT);
        for (const std::uint32_t size : set.fields) {
            const auto field = messages_.open(NFTA_LIST_ELEM);
            messages_.attribute_be32(NFTA_SET_FIELD_LEN, size);
            messages_.close(field);
        }
        messages_.close(fields);
        messages_.close(description);
    }
    // What nft keeps there for itself: type, length, value. Key byte order, 1: the host's.
    if (set.host_order) {
        std::string user_data{kUserDataKeyByteOrder, sizeof(std::uint32_t)};
        const std::uint32_t host_order = 1;
        user_data.append(reinterpret_cast<const char*>(&host_order), sizeof host_order);
        messages_.attribute(NFTA_SET_USERDATA, user_data);
    }
}

void Transaction::append_elements(unsigned message, unsigned flags, const std::string& table, const std::string& set,
                                  std::span<const Element> elements) {
    while (!elements.empty()) {
        const auto part = elements.first(std::min(elements.size(), kElementsPerMessage));
        elements = elements.subspan(part.size());
        begin(message, flags);
        messages_.text(NFTA_SET_ELEM_LIST_TABLE, table);
        messages_.text(NFTA_SET_ELEM_LIST_SET, set);
        const auto list = messages_.open(NFTA_SET_ELEM_LIST_ELEMENTS);
        for (const Element& element : part) {
            const auto nest = messages_.open(NFTA_LIST_ELEM);
            put_data(messages_, NFTA_SET_ELEM_KEY, element.key);
            if (!element.key_end.empty()) put_data(messages_, NFTA_SET_ELEM_KEY_END, element.key_end);
            if (!element.data.empty()) put_data(messages_, NFTA_SET_ELEM_DATA, element.data);
            messages_.close(nest);
        }
        messages_.close(list);
    }
}

void Transaction::add_elements(const std::string& table, const std::string& set, std::span<const Element> elements) {
    append_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, set, elements);
}

void Transaction::delete_elements(const std::string& table, const std::string& set, std::span<const Element> elements) {
    append_elements(NFT_MSG_DELSETELEM, 0, table, set, elements);
}

std::vector<NetlinkFailure> Transaction::commit(NetlinkSocket& socket) {
    messages_.begin(NFNL_MSG_BATCH_END, 0, generic(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    return socket.exchange(messages_);
}

NetlinkSocket open_socket() {
    return NetlinkSocket(NETLINK_NETFILTER);
}

std::uint32_t generation(NetlinkSocket& socket) {
    NetlinkBuffer query;
    query.begin(type_of(NFT_MSG_GETGEN), 0, generic(AF_UNSPEC));
    std::uint32_t id = 0;
    const auto failures = socket.exchange(query, [&](unsigned, std::string_view payload) {
        if (payload.size() < sizeof(nfgenmsg)) return;
        for_each_attribute(payload.substr(sizeof(nfgenmsg)), [&](unsigned type, std::string_view value) {
            if (type == NFTA_GEN_ID) id = read_be32(value);
        });
    });
    if (!failures.empty()) throw error_from(failures.front().code, "ask nf_tables for its generation");
    return id;
}

namespace {

ChainState parse_chain(std::string_view attributes, std::string& table) {
    ChainState chain;
    for_each_attribute(attributes, [&](unsigned type, std::string_view value) {
        if (type == NFTA_CHAIN_TABLE) table = text_of(value);
        if (type == NFTA_CHAIN_NAME) chain.name = text_of(value);
        if (type == NFTA_CHAIN_TYPE) chain.type = text_of(value);
        if (type == NFTA_CHAIN_USE) chain.uses = read_be32(value);
        if (type != NFTA_CHAIN_HOOK) return;
        for_each_attribute(value, [&](unsigned inner, std::string_view number) {
            if (inner == NFTA_HOOK_HOOKNUM) chain.hook = static_cast<Hook>(read_be32(number));
            if (inner == NFTA_HOOK_PRIORITY) chain.priority = static_cast<int>(read_be32(number));
        });
    });
    return chain;
}

// Runs one dump and hands out the attributes of each answer. Someone changing rules meanwhile only makes us ask again.
void dump(NetlinkSocket& socket, const NetlinkBuffer& query, const std::function<void()>& restart,
          const std::function<void(std::string_view attributes)>& visit) {
    for (int attempt = 0; attempt < 20; ++attempt) {
        restart();
        const auto failures = socket.exchange(query, [&](unsigned, std::string_view payload) {
            if (payload.size() >= sizeof(nfgenmsg)) visit(payload.substr(sizeof(nfgenmsg)));
        });
        if (failures.empty()) return;
        if (failures.front().code == ENOENT) return restart();
        if (failures.front().code != EINTR) throw error_from(failures.front().code, "list nf_tables");
    }
    throw make_error("list nf_tables: they never stop changing");
}

}  // namespace

std::optional<TableState> inspect_table(NetlinkSocket& socket, Family family, const std::string& table) {
    TableState state;
    const auto family_number = static_cast<std::uint8_t>(family);
    NetlinkBuffer tables;
    tables.begin(type_of(NFT_MSG_GETTABLE), 0, generic(family_number));
    tables.text(NFTA_TABLE_NAME, table);
    const auto failures = socket.exchange(tables, [&](unsigned, std::string_view payload) {
        if (payload.size() < sizeof(nfgenmsg)) return;
        for_each_attribute(payload.substr(sizeof(nfgenmsg)), [&](unsigned type, std::string_view value) {
            if (type == NFTA_TABLE_USERDATA) state.user_data = value;
        });
    });
    if (!failures.empty() && failures.front().code == ENOENT) return std::nullopt;
    if (!failures.empty()) throw error_from(failures.front().code, "inspect nf_tables table " + table);

    NetlinkBuffer chains;
    chains.begin(type_of(NFT_MSG_GETCHAIN), NLM_F_DUMP, generic(family_number));
    chains.text(NFTA_CHAIN_TABLE, table);  // a hint only: older kernels list all
    dump(
        socket, chains, [&] { state.chains.clear(); },
        [&](std::string_view attributes) {
            std::string owner;
            ChainState chain = parse_chain(attributes, owner);
            if (owner == table) state.chains.push_back(std::move(chain));
        });
    NetlinkBuffer sets;
    sets.begin(type_of(NFT_MSG_GETSET), NLM_F_DUMP, generic(family_number));
    sets.text(NFTA_SET_TABLE, table);
    dump(
        socket, sets, [&] { state.sets.clear(); },
        [&](std::string_view attributes) {
            std::string owner;
            std::string name;
            for_each_attribute(attributes, [&](unsigned type, std::string_view value) {
                if (type == NFTA_SET_TABLE) owner = text_of(value);
                if (type == NFTA_SET_NAME) name = text_of(value);
            });
            if (owner == table) state.sets.push_back(name);
        });
    return state;
}

namespace {

std::string value_in(std::string_view data) {
    std::string bytes;
    for_each_attribute(data, [&](unsigned type, std::string_view value) {
        if (type == NFTA_DATA_VALUE) bytes = value;
    });
    return bytes;
}

Element parse_element(std::string_view attributes) {
    Element element;
    for_each_attribute(attributes, [&](unsigned type, std::string_view value) {
        if (type == NFTA_SET_ELEM_KEY) element.key = value_in(value);
        if (type == NFTA_SET_ELEM_KEY_END) element.key_end = value_in(value);
        if (type == NFTA_SET_ELEM_DATA) element.data = value_in(value);
    });
    return element;
}

}  // namespace

std::vector<Element> list_elements(NetlinkSocket& socket, Family family, const std::string& table,
                                   const std::string& set) {
    NetlinkBuffer query;
    query.begin(type_of(NFT_MSG_GETSETELEM), NLM_F_DUMP, generic(static_cast<std::uint8_t>(family)));
    query.text(NFTA_SET_ELEM_LIST_TABLE, table);
    query.text(NFTA_SET_ELEM_LIST_SET, set);
    std::vector<Element> elements;
    dump(
        socket, query, [&] { elements.clear(); },
        [&](std::string_view attributes) {
            for_each_attribute(attributes, [&](unsigned type, std::string_view list) {
                if (type != NFTA_SET_ELEM_LIST_ELEMENTS) return;
                for_each_attribute(list,
                                   [&](unsigned, std::string_view each) { elements.push_back(parse_element(each)); });
            });
        });
    return elements;
}

}  // namespace compose::sys::nft
