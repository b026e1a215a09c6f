#include "sys/flows.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/netlink.hpp"

namespace compose::sys {
namespace {

constexpr unsigned type_of(unsigned message) {
    return NFNL_SUBSYS_CTNETLINK << 8U | message;
}

nfgenmsg body_of(std::size_t address_size) {
    nfgenmsg body{};
    body.nfgen_family = address_size == 4 ? AF_INET : AF_INET6;
    body.version = NFNETLINK_V0;
    return body;
}

/// One direction of a flow, as far as it matters here.
struct Tuple {
    std::string_view source;
    unsigned protocol = 0;
    std::string_view source_port;
};

Tuple parse_tuple(std::string_view attributes) {
    Tuple tuple;
    for_each_attribute(attributes, [&](unsigned part, std::string_view inner) {
        for_each_attribute(inner, [&](unsigned type, std::string_view value) {
            if (part == CTA_TUPLE_IP && (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)) tuple.source = value;
            if (part != CTA_TUPLE_PROTO) return;
            if (type == CTA_PROTO_NUM && !value.empty()) tuple.protocol = static_cast<unsigned char>(value.front());
            if (type == CTA_PROTO_SRC_PORT) tuple.source_port = value;
        });
    });
    return tuple;
}

/// Those whose answers come from there, each as the kernel names it.
std::vector<std::string> find_datagram_flows(NetlinkSocket& socket, std::string_view address, std::uint16_t port) {
    const std::string port_bytes{static_cast<char>(port >> 8U), static_cast<char>(port & 255U)};
    NetlinkBuffer query;
    query.begin(type_of(IPCTNL_MSG_CT_GET), NLM_F_DUMP, body_of(address.size()));
    std::vector<std::string> found;
    const auto visit = [&](unsigned, std::string_view payload) {
        if (payload.size() < sizeof(nfgenmsg)) return;
        std::string_view origin;
        Tuple answer;
        for_each_attribute(payload.substr(sizeof(nfgenmsg)), [&](unsigned type, std::string_view value) {
            if (type == CTA_TUPLE_ORIG) origin = value;
            if (type == CTA_TUPLE_REPLY) answer = parse_tuple(value);
        });
        if (answer.protocol == IPPROTO_UDP && answer.source == address && answer.source_port == port_bytes)
            found.emplace_back(origin);
    };
    // A table that changes meanwhile may hide some from the dump: those live on until they are silent.
    for (const auto& failure : socket.exchange(query, visit))
        if (failure.code != EINTR) throw error_from(failure.code, "list flows of datagrams");
    return found;
}

constexpr std::size_t kLargestTable = std::size_t{4} << 20U;  // a container decides how long it is

constexpr std::string_view kOpenStates[] = {"01", "03", "04", "08", "09", "0B"};  // see enum in net/tcp_states.h

// "sl local_address rem_address st ...": address and port are hexadecimal.
bool is_open_at(const std::string& line, const std::set<std::uint16_t>& ports) {
    std::vector<std::string> fields;
    for (auto& field : split(line, ' '))
        if (!field.empty()) fields.push_back(std::move(field));
    if (fields.size() < 4) return false;
    const auto colon = fields[1].rfind(':');
    if (colon == std::string::npos) return false;
    unsigned port = 0;
    const char* const end = fields[1].data() + fields[1].size();
    if (std::from_chars(fields[1].data() + colon + 1, end, port, 16).ec != std::errc{}) return false;
    return ports.contains(static_cast<std::uint16_t>(port)) &&
           std::find(std::begin(kOpenStates), std::end(kOpenStates), fields[3]) != std::end(kOpenStates);
}

}  // namespace

void forget_datagram_flows(std::string_view address, std::uint16_t port) {
    NetlinkSocket socket(NETLINK_NETFILTER);
    const auto flows = find_datagram_flows(socket, address, port);
    for (const auto& origin : flows) {
        NetlinkBuffer removal;
        removal.begin(type_of(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, body_of(address.size()));
        removal.attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, origin);
        for (const auto& failure : socket.exchange(removal))
            if (failure.code != ENOENT) throw error_from(failure.code, "forget a flow of datagrams");
    }
}

bool has_open_connections(int pid, const std::set<std::uint16_t>& ports) {
    for (const char* const table : {"tcp", "tcp6"}) {
        std::string text;
        try {
            text = read_file("/proc/" + std::to_string(pid) + "/net/" + table, kLargestTable);
        } catch (const Error&) {
            continue;  // it is just ending, or has so many that nobody could wait for them
        }
        for (const auto& line : split(text, '\n'))
            if (is_open_at(line, ports)) return true;
    }
    return false;
}

}  // namespace compose::sys
