#include "engine/live_endpoint.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "engine/endpoints.hpp"
#include "engine/spec_builder.hpp"
#include "runtime/spec.hpp"
#include "supervisor/container_options.hpp"

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
    service.networks[0].ipv4_address = options.ipv4_address;
    service.networks[0].ipv6_address = options.ipv6_address;
    service.networks[0].link_local_ips = options.link_local_ips;
    service.networks[0].interface_name = options.interface_name;
    for (const Diagnostic& problem : unsupported(service)) throw make_error(ErrorKind::invalid, "{}", problem.message);
    const std::map<std::string, store::Network> networks{{network.name, network}};  // the plan points into it
    auto planned = plan_endpoints(service, container.id, container.name, networks);
    store::Endpoint& endpoint = planned.at(0).endpoint;
    store.transaction([&] {
        const auto others = store.endpoints_of(container.id);
        endpoint.index = 0;
        endpoint.default_route = !network.internal;
        for (const store::Endpoint& other : others) {
            endpoint.index = std::max(endpoint.index, other.index + 1);
            if (other.default_route) endpoint.default_route = false;
        }
        endpoint.interface = fmt::format("cv{}{}", container.id.substr(0, 11), endpoint.index);
        give_addresses(store, planned.at(0));
        store.add_endpoint(endpoint);
        if (options.links.empty()) return;
        auto looked_after = supervisor::options_from_json(container.config.options_json);
        for (const auto& [alias, name] : options.links) looked_after.links[alias] = name;
        store.update_options(container.id, supervisor::to_json(looked_after));
    });
}

}  // namespace compose::engine
