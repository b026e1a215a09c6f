#include "engine/live_endpoint.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "engine/endpoints.hpp"
#include "net/address.hpp"
#include "runtime/spec.hpp"

namespace compose::engine {

void attach_endpoint(store::Store& store, const store::Container& container, const store::Network& network,
                     const ConnectOptions& options) {
    const auto spec = runtime::spec_from_json(container.config.spec);
    if (spec.network != runtime::NamespaceMode::own)
        throw make_error(ErrorKind::conflict, "container {} has no network of its own to connect", container.name)
            .with_hint("it was made with --network host or container:NAME");
    // As when a container is made: its names, and what the caller adds.
    Service service;
    service.name = container.service;
    service.networks.emplace_back();
    service.networks[0].network = network.name;
    service.networks[0].aliases = options.aliases;
    service.networks[0].mac_address = options.mac_address;
    auto planned = plan_endpoints(service, container.id, container.name, {{network.name, network}});
    store::Endpoint endpoint = planned.at(0).endpoint;
    store.transaction([&] {
        const auto others = store.endpoints_of(container.id);
        endpoint.index = 0;
        endpoint.default_route = !network.internal;
        for (const store::Endpoint& other : others) {
            endpoint.index = std::max(endpoint.index, other.index + 1);
            if (other.default_route) endpoint.default_route = false;
        }
        endpoint.interface = fmt::format("cv{}{}", container.id.substr(0, 11), endpoint.index);
        endpoint.address = store.allocate_address(network, options.ipv4_address);
        if (endpoint.mac.empty())
            if (const auto ip = net::Ipv4::parse(endpoint.address)) endpoint.mac = net::to_string(net::mac_of(*ip));
        store.add_endpoint(endpoint);
    });
}

}  // namespace compose::engine
