#include "engine/firewall_sync.hpp"

#include <set>

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/network_rows.hpp"
#include "supervisor/publication.hpp"

namespace compose::engine {

net::Firewall firewall_of(const store::Store& store) {
    return net::Firewall("compose-" + store.installation_id());
}

net::FirewallNetwork firewall_network(const store::Network& row) {
    return supervisor::firewall_network(row);
}

std::vector<net::PublishedPort> published_ports(const store::Store& store, const std::string& id) {
    return supervisor::publications(store, id);
}

void repair_firewall(const store::Store& store) {
    std::vector<store::Network> rows = store.networks("");
    std::erase_if(rows, [](const store::Network& row) { return is_stacked(row); });
    if (rows.empty()) return;
    net::Firewall firewall = firewall_of(store);
    if (!firewall.ensure()) return;
    log::debug("the firewall table was gone: putting {} networks back", rows.size());
    std::vector<net::FirewallNetwork> networks;
    for (const store::Network& row : rows) networks.push_back(firewall_network(row));
    std::set<std::string> holders;
    for (const store::PortRecord& port : store.ports("")) holders.insert(port.container_id);
    // On routed networks ports are open without being taken.
    for (const store::Network& row : rows)
        if (supervisor::is_routed(row))
            for (const store::Endpoint& endpoint : store.endpoints_on(row.id))
                if (const auto container = store.container(endpoint.container_id);
                    container && store::is_up(container->state))
                    holders.insert(endpoint.container_id);
    std::vector<net::PublishedPort> ports;
    for (const std::string& id : holders)
        for (net::PublishedPort& port : published_ports(store, id)) ports.push_back(std::move(port));
    firewall.synchronize(networks, ports);
}

}  // namespace compose::engine
