#include "sys/links.hpp"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "sys/error.hpp"

namespace compose::sys {
namespace {

constexpr unsigned kCreate = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

Error refused(const NetlinkFailure& failure, const std::string& what) {
    return error_from(failure.code, failure.text.empty() ? what : what + ": " + failure.text);
}

void check(const std::vector<NetlinkFailure>& failures, const std::string& what) {
    if (!failures.empty()) throw refused(failures.front(), what);
}

ifinfomsg raised(int index) {
    ifinfomsg link{};
    link.ifi_index = index;
    link.ifi_flags = IFF_UP;
    link.ifi_change = IFF_UP;
    return link;
}

template <class Body>
bool read_body(std::string_view& payload, Body& body) {
    if (payload.size() < NLMSG_ALIGN(sizeof body)) return false;
    std::memcpy(&body, payload.data(), sizeof body);
    payload.remove_prefix(NLMSG_ALIGN(sizeof body));
    return true;
}

template <class Value>
Value value_of(std::string_view bytes) {
    Value value{};
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    return value;
}

LinkInfo parse_link(std::string_view payload) {
    LinkInfo info;
    ifinfomsg link{};
    if (!read_body(payload, link)) return info;
    info.index = link.ifi_index;
    info.up = (link.ifi_flags & IFF_UP) != 0;
    info.loopback = (link.ifi_flags & IFF_LOOPBACK) != 0;
    for_each_attribute(payload, [&](unsigned type, std::string_view value) {
        if (type == IFLA_MTU) info.mtu = value_of<std::uint32_t>(value);
        if (type == IFLA_MASTER) info.master = value_of<int>(value);
        if (type == IFLA_ADDRESS) info.mac = value_of<std::array<std::uint8_t, 6>>(value);
        if (type != IFLA_LINKINFO) return;
        for_each_attribute(value, [&](unsigned inner, std::string_view text) {
            if (inner == IFLA_INFO_KIND) info.kind = std::string(text.substr(0, text.find('\0')));
        });
    });
    return info;
}

void append_veth(NetlinkBuffer& buffer, const VethRequest& request) {
    buffer.begin(RTM_NEWLINK, kCreate, raised(0));
    buffer.text(IFLA_IFNAME, request.name);
    buffer.attribute(IFLA_MASTER, request.master);
    buffer.attribute(IFLA_MTU, request.mtu);
    const auto info = buffer.open(IFLA_LINKINFO);
    buffer.text(IFLA_INFO_KIND, "veth");
    const auto data = buffer.open(IFLA_INFO_DATA);
    const auto inner = buffer.open(VETH_INFO_PEER);
    ifinfomsg peer{};
    peer.ifi_index = request.peer_index;
    buffer.raw(&peer, sizeof peer);
    buffer.text(IFLA_IFNAME, request.peer_name);
    buffer.attribute(IFLA_MTU, request.mtu);
    buffer.attribute(IFLA_ADDRESS, request.peer_mac.data(), request.peer_mac.size());
    buffer.attribute(IFLA_NET_NS_FD, request.netns.get());
    buffer.close(inner);
    buffer.close(data);
    buffer.close(info);
}

// What a bridge knows of a port can be set only once it is one.
void append_port(NetlinkBuffer& buffer, const VethRequest& request) {
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, ifinfomsg{});
    buffer.text(IFLA_IFNAME, request.name);
    const auto info = buffer.open(IFLA_LINKINFO);
    buffer.text(IFLA_INFO_SLAVE_KIND, "bridge");
    const auto data = buffer.open(IFLA_INFO_SLAVE_DATA);
    if (request.hairpin) buffer.attribute(IFLA_BRPORT_MODE, std::uint8_t{1});
    if (request.isolated) buffer.attribute(IFLA_BRPORT_ISOLATED, std::uint8_t{1});
    buffer.close(data);
    buffer.close(info);
}

void append_address(NetlinkBuffer& buffer, unsigned type, unsigned flags, int index, const Ipv4Network& address) {
    ifaddrmsg body{};
    body.ifa_family = AF_INET;
    body.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix_length);
    body.ifa_index = static_cast<unsigned>(index);
    buffer.begin(type, flags, body);
    buffer.attribute_be32(IFA_LOCAL, address.address);
    buffer.attribute_be32(IFA_ADDRESS, address.address);
    if (address.prefix_length < 31) {
        const std::uint32_t hosts = 0xffffffffU >> static_cast<unsigned>(address.prefix_length);
        buffer.attribute_be32(IFA_BROADCAST, address.address | hosts);
    }
}

// The kernel notices a carrier in the background, and drops packets until then: the first connection of a fresh
// container would wait a second for its second try. Asking for a link makes the kernel bring its state up to date
// before it answers.
void append_query(NetlinkBuffer& buffer, int index, const std::string& name) {
    ifinfomsg link{};
    link.ifi_index = index;
    buffer.begin(RTM_GETLINK, 0, link);
    if (!name.empty()) buffer.text(IFLA_IFNAME, name);
    buffer.attribute(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
}

void append_default_route(NetlinkBuffer& buffer, int index, std::uint32_t gateway, unsigned flags = kCreate) {
    rtmsg route{};
    route.rtm_family = AF_INET;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_BOOT;
    route.rtm_scope = gateway == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    route.rtm_type = RTN_UNICAST;
    buffer.begin(RTM_NEWROUTE, flags, route);
    if (gateway != 0) buffer.attribute_be32(RTA_GATEWAY, gateway);
    buffer.attribute(RTA_OIF, index);
}

void append_address6(NetlinkBuffer& buffer, int index, const Ipv6Setup& setup) {
    ifaddrmsg body{};
    body.ifa_family = AF_INET6;
    body.ifa_prefixlen = static_cast<std::uint8_t>(setup.prefix_length);
    body.ifa_flags = IFA_F_NODAD;
    body.ifa_index = static_cast<unsigned>(index);
    buffer.begin(RTM_NEWADDR, kCreate, body);
    buffer.attribute(IFA_LOCAL, setup.address.data(), setup.address.size());
    buffer.attribute(IFA_ADDRESS, setup.address.data(), setup.address.size());
}

void append_default_route6(NetlinkBuffer& buffer, int index, const std::array<std::uint8_t, 16>& gateway,
                           unsigned flags = kCreate) {
    rtmsg route{};
    route.rtm_family = AF_INET6;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_BOOT;
    route.rtm_scope = RT_SCOPE_UNIVERSE;
    route.rtm_type = RTN_UNICAST;
    buffer.begin(RTM_NEWROUTE, flags, route);
    if (gateway != std::array<std::uint8_t, 16>{}) buffer.attribute(RTA_GATEWAY, gateway.data(), gateway.size());
    buffer.attribute(RTA_OIF, index);
}

}  // namespace

Links::Links() : socket_(NETLINK_ROUTE) {}

std::optional<LinkInfo> Links::find(const std::string& name) {
    NetlinkBuffer buffer;
    append_query(buffer, 0, name);
    std::optional<LinkInfo> found;
    const auto failures =
        socket_.exchange(buffer, [&](unsigned, std::string_view payload) { found = parse_link(payload); });
    if (!failures.empty() && failures.front().code != ENODEV) throw refused(failures.front(), "find interface " + name);
    return found;
}

std::optional<std::vector<std::string>> Links::names(const std::string& kind) {
    for (int tries = 0; tries < 5; ++tries) {
        NetlinkBuffer buffer;
        buffer.begin(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
        buffer.attribute(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
        const auto info = buffer.open(IFLA_LINKINFO);
        buffer.text(IFLA_INFO_KIND, kind);
        buffer.close(info);
        std::vector<std::string> found;
        const auto failures = socket_.exchange(buffer, [&](unsigned, std::string_view payload) {
            if (parse_link(payload).kind != kind) return;  // an old kernel doesn't choose
            payload.remove_prefix(NLMSG_ALIGN(sizeof(ifinfomsg)));
            for_each_attribute(payload, [&](unsigned type, std::string_view text) {
                if (type == IFLA_IFNAME) found.emplace_back(text.substr(0, text.find('\0')));
            });
        });
        if (failures.empty()) return found;
        if (failures.front().code != EINTR) throw refused(failures.front(), "list interfaces");
    }
    return std::nullopt;
}

void Links::create_bridge(const BridgeRequest& request) {
    NetlinkBuffer buffer;
    buffer.begin(RTM_NEWLINK, kCreate, raised(0));
    buffer.text(IFLA_IFNAME, request.name);
    // Without an address of its own a bridge takes on the lowest of its ports', and changes it when ports come and go.
    buffer.attribute(IFLA_ADDRESS, request.mac.data(), request.mac.size());
    buffer.attribute(IFLA_MTU, request.mtu);
    const auto info = buffer.open(IFLA_LINKINFO);
    buffer.text(IFLA_INFO_KIND, "bridge");
    buffer.close(info);
    check(socket_.exchange(buffer), "create bridge " + request.name);
}

void Links::set_mtu(int index, unsigned mtu) {
    NetlinkBuffer buffer;
    ifinfomsg link{};
    link.ifi_index = index;
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, link);
    buffer.attribute(IFLA_MTU, mtu);
    check(socket_.exchange(buffer), fmt::format("set the mtu of interface {} to {}", index, mtu));
}

void Links::set_up(int index) {
    NetlinkBuffer buffer;
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, raised(index));
    check(socket_.exchange(buffer), fmt::format("raise interface {}", index));
}

void Links::create_veths(std::span<const VethRequest> requests) {
    NetlinkBuffer buffer;
    for (const VethRequest& request : requests) append_veth(buffer, request);
    for (const VethRequest& request : requests) {
        if (request.hairpin || request.isolated) append_port(buffer, request);
    }
    const auto failures = socket_.exchange(buffer);
    if (failures.empty()) return;
    // The kernel goes on after a refused message: what it made must go again, and only that.
    for (std::uint32_t sequence = 1; sequence <= requests.size(); ++sequence) {
        const auto refused_it = [&](const NetlinkFailure& failure) { return failure.sequence == sequence; };
        if (std::none_of(failures.begin(), failures.end(), refused_it)) remove(requests[sequence - 1].name);
    }
    const VethRequest& first = requests[(failures.front().sequence - 1) % requests.size()];
    throw refused(failures.front(), fmt::format("create interface pair {} and {}", first.name, first.peer_name));
}

void Links::create_stacked(const StackedRequest& request) {
    NetlinkBuffer buffer;
    append_stacked(buffer, request);
    check(socket_.exchange(buffer), fmt::format("create {} interface {}", request.kind, request.name));
}

void Links::create_vlan(const std::string& name, int parent, int id) {
    NetlinkBuffer buffer;
    append_vlan(buffer, name, parent, id);
    check(socket_.exchange(buffer), "create VLAN interface " + name);
}

void Links::create_dummy(const std::string& name) {
    NetlinkBuffer buffer;
    append_dummy(buffer, name);
    check(socket_.exchange(buffer), "create dummy interface " + name);
}

bool Links::knows(const std::string& kind) {
    NetlinkBuffer buffer;
    append_kind_question(buffer, kind);
    const auto failures = socket_.exchange(buffer);
    return failures.empty() || failures.front().code != EOPNOTSUPP;
}

void Links::set_mac(int index, const std::array<std::uint8_t, 6>& mac) {
    NetlinkBuffer buffer;
    ifinfomsg link{};
    link.ifi_index = index;
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, link);
    buffer.attribute(IFLA_ADDRESS, mac.data(), mac.size());
    check(socket_.exchange(buffer), fmt::format("set the MAC address of interface {}", index));
}

void Links::settle(std::span<const std::string> names) {
    NetlinkBuffer buffer;
    for (const std::string& name : names) append_query(buffer, 0, name);
    check(socket_.exchange(buffer), "settle interfaces");
}

void Links::remove(const std::string& name) {
    NetlinkBuffer buffer;
    buffer.begin(RTM_DELLINK, NLM_F_ACK, ifinfomsg{});
    buffer.text(IFLA_IFNAME, name);
    const auto failures = socket_.exchange(buffer);
    if (!failures.empty() && failures.front().code != ENODEV)
        throw refused(failures.front(), "remove interface " + name);
}

void Links::move(int index, FdRef netns, const std::string& name) {
    NetlinkBuffer buffer;
    ifinfomsg link{};
    link.ifi_index = index;
    link.ifi_change = IFF_UP;  // one that is up keeps its name
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, link);
    check(socket_.exchange(buffer), fmt::format("take interface {} down", index));
    buffer = {};
    link.ifi_change = 0;
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, link);
    buffer.attribute(IFLA_NET_NS_FD, netns.get());
    buffer.text(IFLA_IFNAME, name);
    check(socket_.exchange(buffer), "move an interface as " + name);
}

void Links::configure(std::span<const InterfaceSetup> interfaces) {
    constexpr int kLoopback = 1;
    NetlinkBuffer buffer;
    std::vector<std::string> steps{"raise lo"};
    buffer.begin(RTM_NEWLINK, NLM_F_ACK, raised(kLoopback));
    for (const InterfaceSetup& interface : interfaces) {
        if (interface.address) {
            append_address(buffer, RTM_NEWADDR, kCreate, interface.index,
                           {*interface.address, interface.prefix_length});
            steps.push_back(fmt::format("add address to interface {}", interface.index));
        }
        constexpr int kLinkLocalLength = 16;
        for (const std::uint32_t address : interface.link_local) {
            append_address(buffer, RTM_NEWADDR, kCreate, interface.index, {address, kLinkLocalLength});
            steps.push_back(fmt::format("add a link-local address to interface {}", interface.index));
        }
        if (interface.ipv6) {
            append_address6(buffer, interface.index, *interface.ipv6);
            steps.push_back(fmt::format("add an IPv6 address to interface {}", interface.index));
        }
        buffer.begin(RTM_NEWLINK, NLM_F_ACK, raised(interface.index));
        steps.push_back(fmt::format("raise interface {}", interface.index));
        append_query(buffer, interface.index, {});
        steps.push_back(fmt::format("settle interface {}", interface.index));
    }
    for (const InterfaceSetup& interface : interfaces) {
        if (!interface.ipv6 || !interface.ipv6->gateway) continue;
        append_default_route6(buffer, interface.index, *interface.ipv6->gateway);
        steps.push_back(fmt::format("add default IPv6 route through interface {}", interface.index));
    }
    for (const InterfaceSetup& interface : interfaces) {
        if (!interface.gateway) continue;
        append_default_route(buffer, interface.index, *interface.gateway);
        steps.push_back(fmt::format("add default route through interface {}", interface.index));
    }
    const auto failures = socket_.exchange(buffer);
    if (!failures.empty()) throw refused(failures.front(), steps[failures.front().sequence - 1]);
}

std::vector<Ipv4Network> Links::list_addresses(int index) {
    NetlinkBuffer buffer;
    ifaddrmsg query{};
    query.ifa_family = AF_INET;
    buffer.begin(RTM_GETADDR, NLM_F_DUMP, query);
    std::vector<Ipv4Network> found;
    const auto failures = socket_.exchange(buffer, [&](unsigned, std::string_view payload) {
        ifaddrmsg body{};
        if (!read_body(payload, body) || body.ifa_family != AF_INET) return;
        if (index != 0 && body.ifa_index != static_cast<unsigned>(index)) return;
        for_each_attribute(payload, [&](unsigned type, std::string_view value) {
            if (type == IFA_LOCAL) found.push_back({read_be32(value), body.ifa_prefixlen});
        });
    });
    check(failures, "list addresses");
    return found;
}

std::vector<Ipv4Network> Links::addresses() {
    return list_addresses(0);
}
std::vector<Ipv4Network> Links::addresses_of(int index) {
    return list_addresses(index);
}

void Links::add_address(int index, const Ipv4Network& address) {
    NetlinkBuffer buffer;
    append_address(buffer, RTM_NEWADDR, kCreate, index, address);
    const auto failures = socket_.exchange(buffer);
    if (!failures.empty() && failures.front().code != EEXIST)
        throw refused(failures.front(), fmt::format("add address to interface {}", index));
}

void Links::add_address6(int index, const Ipv6Setup& address) {
    NetlinkBuffer buffer;
    append_address6(buffer, index, address);
    const auto failures = socket_.exchange(buffer);
    if (!failures.empty() && failures.front().code != EEXIST)
        throw refused(failures.front(), fmt::format("add an IPv6 address to interface {}", index));
}

void Links::replace_default_routes(const InterfaceSetup& setup) {
    constexpr unsigned kReplace = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    NetlinkBuffer buffer;
    if (setup.gateway) append_default_route(buffer, setup.index, *setup.gateway, kReplace);
    if (setup.ipv6 && setup.ipv6->gateway) append_default_route6(buffer, setup.index, *setup.ipv6->gateway, kReplace);
    check(socket_.exchange(buffer), fmt::format("lead the default route through interface {}", setup.index));
}

void Links::remove_address(int index, const Ipv4Network& address) {
    NetlinkBuffer buffer;
    append_address(buffer, RTM_DELADDR, NLM_F_ACK, index, address);
    const auto failures = socket_.exchange(buffer);
    if (!failures.empty() && failures.front().code != EADDRNOTAVAIL)
        throw refused(failures.front(), fmt::format("remove address from interface {}", index));
}

std::vector<Ipv4Network> Links::routes() {
    NetlinkBuffer buffer;
    rtmsg query{};
    query.rtm_family = AF_INET;
    buffer.begin(RTM_GETROUTE, NLM_F_DUMP, query);
    std::vector<Ipv4Network> found;
    const auto failures = socket_.exchange(buffer, [&](unsigned, std::string_view payload) {
        rtmsg body{};
        if (!read_body(payload, body) || body.rtm_family != AF_INET || body.rtm_dst_len == 0) return;
        if (body.rtm_type == RTN_LOCAL || body.rtm_type == RTN_BROADCAST || body.rtm_type == RTN_MULTICAST) return;
        for_each_attribute(payload, [&](unsigned type, std::string_view value) {
            if (type == RTA_DST) found.push_back({read_be32(value), body.rtm_dst_len});
        });
    });
    check(failures, "list routes");
    return found;
}

}  // namespace compose::sys
