#include "supervisor/endpoints.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "net/bridge.hpp"
#include "supervisor/container_options.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/error.hpp"
#include "sys/links.hpp"
#include "sys/namespaces.hpp"

namespace compose::supervisor {

struct Endpoints::Plan {
    std::vector<net::EndpointSpec> interfaces;
    std::vector<store::Network> networks;  // of the interfaces, in the same order
    std::vector<net::PublishedPort> ports;
};

namespace {

template <class T>
T parsed(const std::optional<T>& value, const std::string& text) {
    if (!value) throw make_error("the database holds \"{}\", which is no address", text);
    return *value;
}

}  // namespace

Endpoints::Endpoints(Core& core, std::string container_id) : core_(core), id_(std::move(container_id)) {}

Endpoints::Plan Endpoints::plan() const {
    Plan plan;
    std::optional<net::Ipv4> target;
    for (const auto& endpoint : core_.store.endpoints_of(id_)) {
        auto network = core_.store.network(endpoint.network_id);
        if (!network) throw make_error(ErrorKind::not_found, "network {} is gone", endpoint.network_id);
        plan.interfaces.push_back(interface_of(endpoint, *network));
        plan.networks.push_back(std::move(*network));
        // Published ports lead to where the default route comes from.
        if (!target || endpoint.default_route) target = plan.interfaces.back().address;
    }
    if (!target) return plan;
    for (const auto& port : core_.store.ports_of(id_)) {
        net::PublishedPort published;
        published.protocol = port.protocol;
        if (!port.host_ip.empty() && port.host_ip != "0.0.0.0")
            published.host_ip = parsed(net::Ipv4::parse(port.host_ip), port.host_ip);
        published.host_port = port.host_port;
        published.container = *target;
        published.container_port = port.container_port;
        plan.ports.push_back(std::move(published));
    }
    return plan;
}

void Endpoints::ensure_network(const store::Network& network) const {
    if (net::bridge_exists(network.bridge)) return;
    // After a reboot, or when somebody deleted it.
    net::create_bridge(bridge_of(network));
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
        for (const auto& interface : plan.interfaces) links.remove(interface.host_name);
        net::connect_endpoints(plan.interfaces, netns);
    }
}

void Endpoints::publish(const Plan& plan) {
    published_ = plan.ports;
    if (published_.empty()) return;
    try {
        core_.firewall.publish(published_);
    } catch (const Error& error) {
        log::debug("publish: {}", error.what());
        // Somebody flushed the rules.
        core_.firewall.ensure();
        for (const auto& network : plan.networks) core_.firewall.add_network(firewall_network(network));
        core_.firewall.publish(published_);
    }
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
    for (const auto& interface : steps.interfaces) connected_.insert(interface.host_name);
    serve_dns(container, steps, net::open_dns_sockets(netns));
    publish(steps);
}

void Endpoints::refresh(const store::Container& container, pid_t pid) {
    const auto steps = plan();
    const auto netns = sys::open_netns_of(pid);
    if (!netns) return;  // it is just ending
    Plan fresh;
    std::set<std::string> wanted;
    for (std::size_t i = 0; i < steps.interfaces.size(); ++i) {
        wanted.insert(steps.interfaces[i].host_name);
        if (connected_.contains(steps.interfaces[i].host_name)) continue;
        ensure_network(steps.networks[i]);
        fresh.interfaces.push_back(steps.interfaces[i]);
        fresh.interfaces.back().gateway.reset();
        fresh.interfaces.back().gateway6.reset();
    }
    sys::Links links;
    bool left = false;
    for (const auto& name : connected_)
        if (!wanted.contains(name)) {
            links.remove(name);
            left = true;
        }
    std::erase_if(connected_, [&](const auto& name) { return !wanted.contains(name); });
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
}

void Endpoints::adopt(const store::Container& container, std::map<std::string, Held>& held, pid_t pid) {
    const auto steps = plan();
    published_ = steps.ports;
    for (const auto& interface : steps.interfaces) connected_.insert(interface.host_name);
    if (steps.interfaces.empty()) return;
    const auto found = held.find(id_ + "/dns");
    if (found != held.end() && found->second.fds.size() == 2) {
        serve_dns(container, steps, {std::move(found->second.fds[0]), std::move(found->second.fds[1])});
        return;
    }
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

void Endpoints::disconnect() noexcept {
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
