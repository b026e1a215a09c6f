// The resolver at 127.0.0.11 of every container of one project. Its sockets live in the containers' network namespaces;
// questions it can't answer itself are forwarded from the host's namespace, but never for internal networks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/dns_table.hpp"
#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::net {

/// UDP and TCP sockets bound inside one container's network namespace.
struct DnsSockets {
    sys::Fd udp;
    sys::Fd tcp;
};
[[nodiscard]] DnsSockets open_dns_sockets(sys::FdRef netns);

struct DnsClient {
    std::vector<std::string> networks;           // ids, in the order of preference
    bool forward = true;                         // false: only internal networks
    std::vector<std::string> upstreams;          // "1.1.1.1"; empty: the host's resolv.conf
    std::map<std::string, std::string> links{};  // in lower case: names that only this one knows -> what they mean
};

class DnsServer {
public:
    /// `table` is asked for at each question, so the caller may refresh it first.
    DnsServer(sys::EventLoop& loop, std::function<const DnsTable&()> table);
    ~DnsServer();

    /// Serves the sockets for container `id` until remove(); the descriptors stay the caller's.
    void add(const std::string& id, sys::FdRef udp, sys::FdRef tcp, DnsClient client);
    void update(const std::string& id, DnsClient client);
    void remove(const std::string& id);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// resolv.conf of a container: nameserver 127.0.0.11 plus the host's (or the given) search and options.
struct ResolvConf {
    std::vector<std::string> nameservers, search, options;
};
[[nodiscard]] ResolvConf parse_resolv_conf(std::string_view text);
[[nodiscard]] std::string render_resolv_conf(const ResolvConf& conf);
/// /etc/hosts of a container.
struct HostsEntry {
    std::string address;
    std::vector<std::string> names;
};
[[nodiscard]] std::string render_hosts(const std::vector<HostsEntry>& extra);

}  // namespace compose::net
