// What the kernel has: tables, chains, sets and their elements.
#include "sys/error.hpp"
#include "sys/nft_encoding.hpp"
#include "sys/nftables.hpp"

namespace compose::sys::nft {
namespace {

std::string_view text_of(std::string_view value) {
    return value.substr(0, value.find('\0'));
}

}  // namespace

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
