#include "sys/nftables.hpp"

#include "sys/nft_encoding.hpp"

namespace compose::sys::nft {
namespace {

constexpr char kUserDataKeyByteOrder = 0;
constexpr std::size_t kElementsPerMessage = 400;  // far below the longest attribute

}  // namespace

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

}  // namespace compose::sys::nft
