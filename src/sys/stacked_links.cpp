#include "sys/stacked_links.hpp"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <limits>

#include "sys/error.hpp"

namespace compose::sys {
namespace {

constexpr unsigned kCreate = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

struct Word {
    std::string_view text;
    std::uint16_t number;
};
constexpr Word kMacvlanModes[] = {{"bridge", MACVLAN_MODE_BRIDGE},
                                  {"private", MACVLAN_MODE_PRIVATE},
                                  {"vepa", MACVLAN_MODE_VEPA},
                                  {"passthru", MACVLAN_MODE_PASSTHRU}};
constexpr Word kIpvlanModes[] = {{"l2", IPVLAN_MODE_L2}, {"l3", IPVLAN_MODE_L3}, {"l3s", IPVLAN_MODE_L3S}};
constexpr Word kIpvlanFlags[] = {{"bridge", 0}, {"", 0}, {"private", IPVLAN_F_PRIVATE}, {"vepa", IPVLAN_F_VEPA}};

template <std::size_t N>
std::uint16_t number_of(const Word (&words)[N], const std::string& text, const std::string& what) {
    const auto* const found =
        std::find_if(std::begin(words), std::end(words), [&](const Word& word) { return word.text == text; });
    if (found == std::end(words)) throw make_error(ErrorKind::invalid, "there is no {} \"{}\"", what, text);
    return found->number;
}

// Inside of IFLA_LINKINFO.
void append_kind_data(NetlinkBuffer& buffer, const StackedRequest& request) {
    buffer.text(IFLA_INFO_KIND, request.kind);
    const auto data = buffer.open(IFLA_INFO_DATA);
    if (request.kind == "macvlan") {
        buffer.attribute(IFLA_MACVLAN_MODE, std::uint32_t{number_of(kMacvlanModes, request.mode, "macvlan mode")});
    } else if (request.kind == "ipvlan") {
        buffer.attribute(IFLA_IPVLAN_MODE, number_of(kIpvlanModes, request.mode, "ipvlan mode"));
        buffer.attribute(IFLA_IPVLAN_FLAGS, number_of(kIpvlanFlags, request.flag, "ipvlan flag"));
    } else {
        throw make_error(ErrorKind::invalid, "\"{}\" is no kind of interface that stands on another", request.kind);
    }
    buffer.close(data);
}

}  // namespace

void append_stacked(NetlinkBuffer& buffer, const StackedRequest& request) {
    // No wish for an index: the kernel would look for it in the namespace that the message comes from.
    buffer.begin(RTM_NEWLINK, kCreate, ifinfomsg{});
    buffer.text(IFLA_IFNAME, request.name);
    buffer.attribute(IFLA_LINK, request.parent);
    buffer.attribute(IFLA_NET_NS_FD, request.netns.get());
    if (request.mtu != 0) buffer.attribute(IFLA_MTU, request.mtu);
    if (request.mac && request.kind == "macvlan")
        buffer.attribute(IFLA_ADDRESS, request.mac->data(), request.mac->size());
    const auto info = buffer.open(IFLA_LINKINFO);
    append_kind_data(buffer, request);
    buffer.close(info);
}

void append_vlan(NetlinkBuffer& buffer, const std::string& name, int parent, int id) {
    buffer.begin(RTM_NEWLINK, kCreate, ifinfomsg{});
    buffer.text(IFLA_IFNAME, name);
    buffer.attribute(IFLA_LINK, parent);
    const auto info = buffer.open(IFLA_LINKINFO);
    buffer.text(IFLA_INFO_KIND, "vlan");
    const auto data = buffer.open(IFLA_INFO_DATA);
    buffer.attribute(IFLA_VLAN_ID, static_cast<std::uint16_t>(id));
    buffer.close(data);
    buffer.close(info);
}

void append_dummy(NetlinkBuffer& buffer, const std::string& name) {
    buffer.begin(RTM_NEWLINK, kCreate, ifinfomsg{});
    buffer.text(IFLA_IFNAME, name);
    const auto info = buffer.open(IFLA_LINKINFO);
    buffer.text(IFLA_INFO_KIND, "dummy");
    buffer.close(info);
}

void append_kind_question(NetlinkBuffer& buffer, const std::string& kind) {
    buffer.begin(RTM_NEWLINK, kCreate, ifinfomsg{});
    buffer.attribute(IFLA_LINK, std::numeric_limits<int>::max());  // there is none
    buffer.attribute(IFLA_ADDRESS, std::uint8_t{0});               // too short for one
    const auto info = buffer.open(IFLA_LINKINFO);
    buffer.text(IFLA_INFO_KIND, kind);
    buffer.close(info);
}

}  // namespace compose::sys
