#include "engine/external_networks.hpp"

#include "model/host_ports.hpp"

namespace compose::engine {

Project with_external_networks(Project project, const store::Store& store) {
    for (auto& [key, network] : project.networks) {
        if (!network.external) continue;
        const auto row = store.network_by_name(network.name);
        if (!row) continue;
        network.driver = row->driver;
        network.internal = row->internal;
        network.enable_ipv4 = has_ipv4(*row);
        network.enable_ipv6 = row->options.contains("subnet6");
        for (const auto& [kept_as, name] : {std::pair("gateway_mode", kGatewayMode4),
                                            {"gateway_mode6", kGatewayMode6},
                                            {"host_binding", kHostBinding}})
            if (const auto option = row->options.find(kept_as); option != row->options.end())
                network.driver_opts[name] = option->second;
    }
    return project;
}

}  // namespace compose::engine
