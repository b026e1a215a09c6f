#include "supervisor/publication.hpp"

#include "base/error.hpp"
#include "supervisor/network_rows.hpp"

namespace compose::supervisor {
namespace {

struct Targets {
    std::optional<net::Ipv4> four;
    std::optional<net::Ipv6> six;
    std::optional<net::IpAddress> relay;  // never into an internal network, which nobody outside may reach
};

Targets targets_of(std::span<const store::Endpoint> endpoints, std::span<const store::Network> networks) {
    Targets targets;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (is_stacked(networks[i])) continue;  // out of our reach
        const auto interface = interface_of(endpoints[i], networks[i]);
        const bool first_choice = endpoints[i].default_route;
        if (interface.address && (!targets.four || first_choice)) targets.four = interface.address;
        if (interface.address6 && (!targets.six || first_choice)) targets.six = interface.address6;
        if (networks[i].internal || (targets.relay && !first_choice)) continue;
        if (interface.address6)
            targets.relay = *interface.address6;
        else if (interface.address)
            targets.relay = *interface.address;
    }
    return targets;
}

class Publisher {
public:
    Publisher(const Targets& targets, std::vector<net::PublishedPort>& out) : targets_(targets), out_(out) {}

    void publish(const store::PortRecord& port) {
        record_ = &port;
        if (port.host_ip.empty()) {
            publish4({});
            publish6({});
            return;
        }
        const auto address = net::parse_ip(port.host_ip);
        if (!address) throw make_error("the database holds \"{}\", which is no address", port.host_ip);
        if (const auto* const four = std::get_if<net::Ipv4>(&*address))
            publish4(*four);
        else
            publish6(std::get<net::Ipv6>(*address));
    }

private:
    void publish4(net::Ipv4 host) {
        if (targets_.four)
            add(host, *targets_.four, false);
        else if (targets_.relay)
            add(host, *targets_.relay, true);
    }

    void publish6(const net::Ipv6& host) {
        static const net::Ipv6 kAny{};
        static const net::Ipv6 kLoopback = *net::Ipv6::parse("::1");
        const bool rules_do = targets_.six && host != kLoopback;
        if (rules_do) add(host, *targets_.six, false);
        if (targets_.relay && (!rules_do || host == kAny)) add(host, *targets_.relay, true);
    }

    void add(const net::IpAddress& host, const net::IpAddress& container, bool relayed) {
        out_.push_back({.protocol = record_->protocol,
                        .host_ip = host,
                        .host_port = record_->host_port,
                        .container = container,
                        .container_port = record_->container_port,
                        .relayed = relayed});
    }

    const Targets& targets_;
    std::vector<net::PublishedPort>& out_;
    const store::PortRecord* record_ = nullptr;
};

}  // namespace

std::vector<net::PublishedPort> publications(std::span<const store::PortRecord> ports,
                                             std::span<const store::Endpoint> endpoints,
                                             std::span<const store::Network> networks) {
    std::vector<net::PublishedPort> result;
    if (ports.empty()) return result;
    const Targets targets = targets_of(endpoints, networks);
    Publisher publisher(targets, result);
    for (const auto& port : ports) publisher.publish(port);
    return result;
}

std::vector<net::PublishedPort> publications(const store::Store& store, const std::string& container_id) {
    const auto ports = store.ports_of(container_id);
    if (ports.empty()) return {};
    const auto endpoints = store.endpoints_of(container_id);
    std::vector<store::Network> networks;
    for (const auto& endpoint : endpoints) {
        auto network = store.network(endpoint.network_id);
        if (!network) throw make_error(ErrorKind::not_found, "network {} is gone", endpoint.network_id);
        networks.push_back(std::move(*network));
    }
    return publications(ports, endpoints, networks);
}

}  // namespace compose::supervisor
