#include "engine/live_endpoint.hpp"

#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "engine/endpoints.hpp"
#include "engine/spec_builder.hpp"
#include "runtime/spec.hpp"
#include "supervisor/container_options.hpp"
#include "supervisor/network_rows.hpp"

namespace compose::engine {

void assign_default_route(store::Store& store, const std::string& container_id) {
    const auto rank = [](const store::Endpoint& endpoint, const store::Network& network) {
        return std::tuple(-endpoint.gw_priority, !endpoint.default_route, network.name);
    };
    std::optional<std::tuple<int, bool, std::string>> best;
    std::string chosen;
    for (const store::Endpoint& endpoint : store.endpoints_of(container_id)) {
        const auto network = store.network(endpoint.network_id);
        if (!network || network->internal) continue;
        if (best && *best < rank(endpoint, *network)) continue;
        best = rank(endpoint, *network);
        chosen = network->id;
    }
    store.set_default_route(container_id, chosen);
}

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
    service.networks[0].driver_opts = options.driver_options;
    service.networks[0].gw_priority = options.gw_priority;
    for (const Diagnostic& problem : unsupported(service)) throw make_error(ErrorKind::invalid, "{}", problem.message);
    const std::map<std::string, store::Network> networks{{network.name, network}};  // the plan points into it
    auto planned = plan_endpoints(service, container.id, container.name, networks);
    store::Endpoint& endpoint = planned.at(0).endpoint;
    store.transaction([&] {
        endpoint.index = 0;
        endpoint.default_route = false;
        std::set<std::string> names;
        for (const store::Endpoint& other : store.endpoints_of(container.id)) {
            endpoint.index = std::max(endpoint.index, other.index + 1);
            const auto theirs = store.network(other.network_id);
            if (theirs) names.insert(supervisor::interface_of(other, *theirs).container_name);
        }
        if (endpoint.name.empty()) endpoint.number = free_number(supervisor::interface_prefix(network), names);
        endpoint.interface = fmt::format("cv{}{}", container.id.substr(0, 11), endpoint.index);
        give_addresses(store, planned.at(0));
        store.add_endpoint(endpoint);
        assign_default_route(store, container.id);
        if (options.links.empty()) return;
        auto looked_after = supervisor::options_from_json(container.config.options_json);
        for (const auto& [alias, name] : options.links) looked_after.links[alias] = name;
        store.update_options(container.id, supervisor::to_json(looked_after));
    });
}

bool detach_endpoint(store::Store& store, const store::Container& container, const std::string& network_id) {
    bool found = false;
    store.transaction([&] {
        found = store.remove_endpoint(container.id, network_id);
        if (found) assign_default_route(store, container.id);
    });
    return found;
}

}  // namespace compose::engine
