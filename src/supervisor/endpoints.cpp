#include "supervisor/endpoints.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "net/bridge.hpp"
#include "supervisor/container_options.hpp"
#include "supervisor/network_rows.hpp"
#include "supervisor/publication.hpp"
#include "sys/error.hpp"
#include "sys/flows.hpp"
#include "sys/links.hpp"
#include "sys/namespaces.hpp"
#include "sys/port_socket.hpp"

namespace compose::supervisor {

struct Endpoints::Plan {
    std::vector<net::EndpointSpec> interfaces;
    std::vector<store::Network> networks;  // of the interfaces, in the same order
    std::vector<net::PublishedPort> ports;
};

namespace {

std::map<std::string, std::string> ends_of(const std::vector<net::EndpointSpec>& interfaces) {
    std::map<std::string, std::string> ends;
    for (const auto& interface : interfaces)
        ends[interface.host_name] = interface.stacked ? interface.container_name : std::string();
    return ends;
}

void leave(const std::string& host_name, const std::string& inside, sys::FdRef netns) {
    if (!inside.empty()) return net::remove_stacked(netns, inside);
    sys::Links links;
    links.remove(host_name);
}

}  // namespace

Endpoints::Endpoints(Core& core, std::string container_id, const HostPorts& host_ports)
    : core_(core), id_(std::move(container_id)), host_ports_(host_ports) {}

Endpoints::Plan Endpoints::plan() const {
    Plan plan;
    const auto endpoints = core_.store.endpoints_of(id_);
    plan.networks = networks_of(core_.store, endpoints);
    plan.interfaces = interfaces_of(endpoints, plan.networks);
    if (!endpoints.empty()) plan.ports = publications(core_.store, id_, endpoints, plan.networks);
    return plan;
}

void Endpoints::ensure_network(const store::Network& network) const {
    if (is_stacked(network)) return ensure_parent(network);
    if (net::bridge_exists(network.bridge)) return;
    // After a reboot, or when somebody deleted it.
    net::create_bridge(bridge_of(network));
    settle_bridge_filter(core_.store);
    core_.firewall.ensure();
    core_.firewall.add_network(firewall_network(network));
}

void Endpoints::connect_interfaces(const Plan& plan, sys::FdRef netns) const {
    try {
        net::connect_endpoints(plan.interfaces, netns);
    } catch (const Error& error) {
        if (error.code() != EEXIST) throw;
        // The namespace of the run before is still being torn down: its ends must not be waited for, but removed.
        sys::Links links;
        for (const auto& interface : plan.interfaces)
            if (!interface.stacked) links.remove(interface.host_name);
        net::connect_endpoints(plan.interfaces, netns);
    }
}

// Somebody flushed the rules.
void Endpoints::put_networks_back(const Plan& plan) const {
    core_.firewall.ensure();
    for (const auto& network : plan.networks)
        if (!is_stacked(network)) core_.firewall.add_network(firewall_network(network));
}

void Endpoints::publish(const Plan& plan) {
    published_ = plan.ports;
    if (published_.empty()) return;
    try {
        core_.firewall.publish(published_);
    } catch (const Error& error) {
        log::debug("publish: {}", error.what());
        put_networks_back(plan);
        core_.firewall.publish(published_);
    }
}

// Each needs the socket that holds its port: of one and the same where all addresses of both families are meant.
void Endpoints::open_relays() {
    constexpr auto kRelay = net::PublishedPort::Way::relay;
    auto before = std::exchange(relays_, {});
    if (std::none_of(published_.begin(), published_.end(), [](const auto& port) { return port.way == kRelay; })) return;
    for (const auto& socket : host_ports_.sockets()) {
        const auto bound = sys::bound_port(socket);
        const auto host = net::parse_ip(bound.host_ip.empty() ? "::" : bound.host_ip);
        const auto found = std::find_if(published_.begin(), published_.end(), [&](const auto& port) {
            return port.way == kRelay && port.protocol == bound.protocol && port.host_port == bound.port &&
                   port.host_ip == host;
        });
        if (found == published_.end()) continue;
        const auto target = sys::InetAddress::parse(net::to_string(found->container), found->container_port);
        if (!target) continue;
        auto& relay = relays_[socket.get()];
        relay = std::move(before[socket.get()]);
        if (relay)
            relay->turn_to(*target);
        else
            relay = net::open_port_relay(core_.loop, socket, bound.protocol, *target);
    }
}

namespace {

std::string bytes_of(const net::IpAddress& address) {
    if (const auto* const six = std::get_if<net::Ipv6>(&address)) return {six->bytes.begin(), six->bytes.end()};
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        bytes.push_back(static_cast<char>(std::get<net::Ipv4>(address).value >> shift & 255U));
    return bytes;
}

// A client that goes on talking from one port would be led to the old container for as long as it talks.
void turn_datagrams(const std::vector<net::PublishedPort>& gone) {
    for (const auto& port : gone) {
        if (port.protocol != "udp" || port.way != net::PublishedPort::Way::rule) continue;
        try {
            sys::forget_datagram_flows(bytes_of(port.container), port.container_port);
        } catch (const Error& error) {
            log::debug("flows to {}: {}", net::to_string(port.container), error.what());
        }
    }
}

}  // namespace

void Endpoints::take_over(Endpoints& from) {
    const auto steps = plan();
    const auto left = from.plan().ports;
    auto gone = std::exchange(from.published_, left);
    std::erase_if(gone, [&](const auto& port) { return std::find(left.begin(), left.end(), port) != left.end(); });
    published_ = steps.ports;
    try {
        core_.firewall.republish(gone, published_);
    } catch (const Error& error) {
        log::debug("republish: {}", error.what());
        put_networks_back(steps);
        core_.firewall.republish(gone, published_);
    }
    for (const auto& socket : host_ports_.sockets())
        if (auto relay = from.relays_.extract(socket.get())) relays_.insert(std::move(relay));
    open_relays();
    turn_datagrams(gone);
}

void Endpoints::publish_again() {
    publish(plan());
}

net::DnsClient Endpoints::dns_client(const store::Container& container, const Plan& plan) {
    net::DnsClient client;
    client.forward = false;
    client.upstreams = container.config.dns;
    for (const auto& [alias, name] : options_from_json(container.config.options_json).links)
        client.links[lower(alias)] = name;
    for (const auto& network : plan.networks) {
        client.networks.push_back(network.id);
        client.forward = client.forward || !network.internal;
    }
    return client;
}

void Endpoints::serve_dns(const store::Container& container, const Plan& plan, net::DnsSockets sockets) {
    dns_ = std::move(sockets);
    core_.keeper.store(id_ + "/dns", 0, {dns_.udp, dns_.tcp});
    core_.dns.add(id_, dns_.udp, dns_.tcp, dns_client(container, plan));
    serving_ = true;
}

void Endpoints::connect(const store::Container& container, sys::FdRef netns) {
    const auto steps = plan();
    if (steps.interfaces.empty()) return;
    for (const auto& network : steps.networks) ensure_network(network);
    connect_interfaces(steps, netns);
    connected_ = ends_of(steps.interfaces);
    serve_dns(container, steps, net::open_dns_sockets(netns));
    publish(steps);
    open_relays();
}

void Endpoints::refresh(const store::Container& container, pid_t pid) {
    const auto steps = plan();
    const auto netns = sys::open_netns_of(pid);
    if (!netns) return;  // it is just ending
    Plan fresh;
    auto wanted = ends_of(steps.interfaces);
    for (std::size_t i = 0; i < steps.interfaces.size(); ++i) {
        if (connected_.contains(steps.interfaces[i].host_name)) continue;
        ensure_network(steps.networks[i]);
        fresh.interfaces.push_back(steps.interfaces[i]);
        fresh.interfaces.back().gateway.reset();
        fresh.interfaces.back().gateway6.reset();
    }
    bool left = false;
    for (const auto& [name, inside] : connected_)
        if (!wanted.contains(name)) {
            leave(name, inside, *netns);
            left = true;
        }
    std::erase_if(connected_, [&](const auto& end) { return !wanted.contains(end.first); });
    if (!fresh.interfaces.empty()) connect_interfaces(fresh, *netns);
    // A change of networks may move the default route, from one that has gone or to one that has come.
    if (left || !fresh.interfaces.empty())
        for (const auto& interface : steps.interfaces) net::replace_default_routes(interface, *netns);
    connected_ = std::move(wanted);
    if (serving_)
        core_.dns.update(id_, dns_client(container, steps));
    else if (!steps.interfaces.empty())
        serve_dns(container, steps, net::open_dns_sockets(*netns));
    if (published_ == steps.ports) return;
    if (!published_.empty()) core_.firewall.unpublish(published_);
    publish(steps);
    open_relays();
}

std::vector<PortWish> Endpoints::on_host(std::vector<PortWish> wishes) const {
    const auto endpoints = core_.store.endpoints_of(id_);
    if (endpoints.empty()) return wishes;
    return host_wishes(std::move(wishes), endpoints, networks_of(core_.store, endpoints));
}

void Endpoints::recall_sockets(std::map<std::string, Held>& held) noexcept {
    const auto found = held.find(id_ + "/dns");
    if (found == held.end() || found->second.fds.size() != 2) return;
    dns_ = {std::move(found->second.fds[0]), std::move(found->second.fds[1])};
    try {
        connected_ = ends_of(plan().interfaces);
    } catch (const std::exception& error) {
        log::debug("recall interfaces of {}: {}", id_, error.what());
    }
}

void Endpoints::adopt(const store::Container& container, pid_t pid) {
    const auto steps = plan();
    connected_ = ends_of(steps.interfaces);
    if (steps.interfaces.empty()) return;
    try {
        publish(steps);  // it may just have taken them over
        open_relays();
    } catch (const Error& error) {
        log::debug("ports of {}: {}", id_, error.what());  // it runs on without them
    }
    if (dns_.udp) return serve_dns(container, steps, std::move(dns_));
    // Nobody kept the sockets: new ones, in the namespace of its first process.
    const auto netns = sys::open_netns_of(pid);
    if (netns) serve_dns(container, steps, net::open_dns_sockets(*netns));
}

void Endpoints::recall() noexcept {
    try {
        published_ = plan().ports;
    } catch (const std::exception& error) {
        log::debug("recall ports of {}: {}", id_, error.what());
    }
}

// The kernel takes a dead namespace apart in its own time; until then, what stands on a parent would hold the MAC
// address, and in passthru mode the whole parent, against the next run.
void Endpoints::free_parents() noexcept {
    try {
        std::optional<sys::Fd> netns;
        for (const auto& [host_name, inside] : connected_) {
            if (inside.empty() || !dns_.udp) continue;
            if (!netns) netns = sys::netns_of_socket(dns_.udp);
            if (netns) net::remove_stacked(*netns, inside);
        }
    } catch (const std::exception& error) {
        log::debug("free the parents of {}: {}", id_, error.what());
    }
}

void Endpoints::disconnect() noexcept {
    relays_.clear();
    free_parents();
    try {
        if (serving_) core_.dns.remove(id_);
        serving_ = false;
        dns_ = {};
        core_.keeper.drop(id_ + "/dns");
        if (!published_.empty()) core_.firewall.unpublish(published_);
    } catch (const std::exception& error) {
        log::debug("disconnect {}: {}", id_, error.what());
    }
    published_.clear();
    connected_.clear();
}

}  // namespace compose::supervisor
