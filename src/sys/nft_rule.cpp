// Rules: one expression after the other.
#include "sys/nft_encoding.hpp"
#include "sys/nftables.hpp"

namespace compose::sys::nft {
namespace {

// The four 16-byte registers and the sixteen 4-byte ones are the same memory. Tools expect the former where they fit.
std::uint32_t register_at(unsigned word) {
    return word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word;
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

Rule& Rule::snat(Family family, unsigned address_word) {
    Attributes a;
    a.attribute_be32(NFTA_NAT_TYPE, NFT_NAT_SNAT);
    a.attribute_be32(NFTA_NAT_FAMILY, static_cast<std::uint32_t>(family));
    a.attribute_be32(NFTA_NAT_REG_ADDR_MIN, register_at(address_word));
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

}  // namespace compose::sys::nft
