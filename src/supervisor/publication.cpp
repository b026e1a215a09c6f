#include "supervisor/publication.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "supervisor/network_rows.hpp"

namespace compose::supervisor {
namespace {

constexpr auto kOpenPorts = net::Straight::open_ports;

// An address of the container, and how its network is reached in that family.
template <class Address>
struct Target {
    Address address;
    net::Straight straight = net::Straight::nothing;
    bool trusting = false;  // some interfaces of the host reach its open ports straight
};

struct Targets {
    std::optional<Target<net::Ipv4>> four;
    std::optional<Target<net::Ipv6>> six;
    std::optional<Target<net::IpAddress>> relay;

    // Does a port of the host's addresses of that family lead to it? Not when the family that would answer is routed.
    [[nodiscard]] bool on_host4() const {
        if (four) return four->straight != kOpenPorts;
        return !relay || relay->straight != kOpenPorts;
    }
    [[nodiscard]] bool on_host6() const {
        if (six) return six->straight != kOpenPorts;
        return !relay || relay->straight != kOpenPorts;
    }
    [[nodiscard]] bool all_on_host() const { return on_host4() && on_host6(); }
};

Targets targets_of(std::span<const store::Endpoint> endpoints, std::span<const store::Network> networks) {
    Targets targets;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (is_out_of_reach(networks[i])) continue;
        const auto interface = interface_of(endpoints[i], networks[i]);
        const auto wall = firewall_network(networks[i]);
        const bool trusting = !wall.trusted.empty();
        const bool first_choice = endpoints[i].default_route;
        if (interface.address && (!targets.four || first_choice))
            targets.four = {*interface.address, wall.straight, trusting};
        if (interface.address6 && (!targets.six || first_choice))
            targets.six = {*interface.address6, wall.straight6, trusting};
        if (targets.relay && !first_choice) continue;
        if (interface.address6)
            targets.relay = {*interface.address6, wall.straight6};
        else if (interface.address)
            targets.relay = {*interface.address, wall.straight};
    }
    return targets;
}

class Publisher {
public:
    using Way = net::PublishedPort::Way;

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

    // Of a routed network the address only says which family is meant.
    void open(const PortWish& wish) {
        const bool six = wish.host_ip.find(':') != std::string::npos;
        const auto open_one = [&](const auto& target, bool meant) {
            if (target && meant && target->straight == kOpenPorts)
                out_.push_back({.protocol = wish.protocol,
                                .host_ip = {},
                                .host_port = 0,
                                .container = target->address,
                                .container_port = wish.container_port,
                                .way = Way::straight});
        };
        open_one(targets_.four, !six);
        open_one(targets_.six, six || wish.host_ip.empty());
    }

private:
    void publish4(net::Ipv4 host) {
        if (!targets_.on_host4()) return;
        if (targets_.four) {
            add(host, targets_.four->address, Way::rule);
            if (targets_.four->trusting) add(host, targets_.four->address, Way::straight);
        } else if (targets_.relay) {
            add(host, targets_.relay->address, Way::relay);
        }
    }

    void publish6(const net::Ipv6& host) {
        static const net::Ipv6 kAny{};
        static const net::Ipv6 kLoopback = *net::Ipv6::parse("::1");
        if (!targets_.on_host6()) return;
        const bool rules_do = targets_.six && host != kLoopback;
        if (rules_do) add(host, targets_.six->address, Way::rule);
        if (targets_.six && targets_.six->trusting) add(host, targets_.six->address, Way::straight);
        if (targets_.relay && (!rules_do || host == kAny)) add(host, targets_.relay->address, Way::relay);
    }

    void add(const net::IpAddress& host, const net::IpAddress& container, Way way) {
        out_.push_back({.protocol = record_->protocol,
                        .host_ip = host,
                        .host_port = record_->host_port,
                        .container = container,
                        .container_port = record_->container_port,
                        .way = way});
    }

    const Targets& targets_;
    std::vector<net::PublishedPort>& out_;
    const store::PortRecord* record_ = nullptr;
};

}  // namespace

std::vector<store::Network> networks_of(const store::Store& store, std::span<const store::Endpoint> endpoints) {
    std::vector<store::Network> networks;
    for (const auto& endpoint : endpoints) {
        auto network = store.network(endpoint.network_id);
        if (!network) throw make_error(ErrorKind::not_found, "network {} is gone", endpoint.network_id);
        networks.push_back(std::move(*network));
    }
    return networks;
}

std::vector<net::PublishedPort> publications(const store::Store& store, const std::string& container_id,
                                             std::span<const store::Endpoint> endpoints,
                                             std::span<const store::Network> networks) {
    std::vector<net::PublishedPort> result;
    const auto ports = store.ports_of(container_id);
    const bool routed = std::any_of(networks.begin(), networks.end(), is_routed);
    if (ports.empty() && !routed) return result;
    const Targets targets = targets_of(endpoints, networks);
    Publisher publisher(targets, result);
    for (const auto& port : ports) publisher.publish(port);
    if (!routed || targets.all_on_host()) return result;
    // What is reached by routes takes no port, so only the wishes tell of it.
    if (const auto container = store.container(container_id))
        for (const auto& wish : port_wishes_from_json(container->config.ports_json)) publisher.open(wish);
    return result;
}

std::vector<net::PublishedPort> publications(const store::Store& store, const std::string& container_id) {
    const auto endpoints = store.endpoints_of(container_id);
    return publications(store, container_id, endpoints, networks_of(store, endpoints));
}

std::vector<PortWish> host_wishes(std::vector<PortWish> wishes, std::span<const store::Endpoint> endpoints,
                                  std::span<const store::Network> networks) {
    if (std::all_of(networks.begin(), networks.end(), store::is_out_of_reach)) return {};
    if (std::none_of(networks.begin(), networks.end(), is_routed)) return wishes;
    const Targets targets = targets_of(endpoints, networks);
    if (targets.all_on_host()) return wishes;
    std::vector<PortWish> result;
    for (PortWish& wish : wishes) {
        if (wish.host_ip.empty() && targets.on_host4() != targets.on_host6())
            wish.host_ip = targets.on_host4() ? "0.0.0.0" : "::";
        const bool six = wish.host_ip.find(':') != std::string::npos;
        if (six ? targets.on_host6() : targets.on_host4()) result.push_back(std::move(wish));
    }
    return result;
}

}  // namespace compose::supervisor
