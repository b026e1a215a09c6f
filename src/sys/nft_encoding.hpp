// What the parts of nf_tables' encoding share: nftables.hpp.
#pragma once

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <string>
#include <string_view>

#include "sys/netlink.hpp"

namespace compose::sys::nft {

/// Attributes outside of a message: built behind a throw-away header.
class Attributes : public NetlinkBuffer {
public:
    Attributes() { begin(0, 0, nullptr, 0); }
    [[nodiscard]] std::string encoded() const { return std::string(bytes().substr(sizeof(nlmsghdr))); }
};

inline void put_data(NetlinkBuffer& buffer, unsigned type, std::string_view bytes) {
    const auto nest = buffer.open(type);
    buffer.attribute(NFTA_DATA_VALUE, bytes);
    buffer.close(nest);
}

/// The body that every message begins with.
inline nfgenmsg generic(std::uint8_t family, std::uint16_t resource = 0) {
    nfgenmsg body{};
    body.nfgen_family = family;
    body.version = NFNETLINK_V0;
    body.res_id = htons(resource);
    return body;
}

constexpr unsigned type_of(unsigned message) {
    return NFNL_SUBSYS_NFTABLES << 8U | message;
}

}  // namespace compose::sys::nft
