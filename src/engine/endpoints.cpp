#include "engine/endpoints.hpp"

#include <algorithm>
#include <compose/objects.hpp>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "engine/endpoint_options.hpp"
#include "engine/network_pools.hpp"
#include "net/address.hpp"
#include "supervisor/network_rows.hpp"

namespace compose::engine {

using supervisor::interface_prefix;

namespace {

std::vector<std::string> names_of(const Service& service, const NetworkAttachment& attachment, const std::string& id,
                                  const std::string& container_name, const store::Network& network) {
    std::vector<std::string> names;
    if (network.name == kBridgeNetwork) return names;  // the default network has addresses only, as Docker's
    const auto add = [&](const std::string& name) {
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    add(service.name);
    add(container_name);
    add(std::string(short_id(id)));
    for (const std::string& alias : attachment.aliases) add(alias);
    add(service.hostname);
    return names;
}

bool has_mac_of_parent(const store::Network& network) {
    if (network.driver == "ipvlan") return true;
    return network.driver == "macvlan" && network.options.at("mode") == "passthru";
}

void check_mac(const store::Network& network, const std::string& wanted) {
    if (wanted.empty() || network.driver != "ipvlan") return;
    throw make_error(ErrorKind::invalid, "network {} is an ipvlan: its interfaces have their parent's MAC address",
                     network.name)
        .with_hint("leave mac_address out");
}

}  // namespace

int free_number(const std::string& prefix, std::set<std::string>& names) {
    int number = 0;
    while (!names.insert(prefix + std::to_string(number)).second) ++number;
    return number;
}

std::vector<PlannedEndpoint> plan_endpoints(const Service& service, const std::string& container_id,
                                            const std::string& container_name,
                                            const std::map<std::string, store::Network>& networks) {
    struct Candidate {
        const NetworkAttachment* attachment;
        const store::Network* network;
    };
    std::vector<Candidate> order;
    for (const NetworkAttachment& attachment : service.networks) {
        const auto network = networks.find(attachment.network);
        if (network == networks.end())
            throw make_error(ErrorKind::not_found, "network {} not found", attachment.network);
        order.push_back({&attachment, &network->second});
    }
    std::stable_sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
        if (a.attachment->priority != b.attachment->priority) return a.attachment->priority > b.attachment->priority;
        return a.network->name < b.network->name;
    });

    const Candidate* gateway = nullptr;
    for (const Candidate& candidate : order) {
        if (candidate.network->internal) continue;
        const auto rank = [](const Candidate& c) {
            return std::make_pair(-c.attachment->gw_priority, c.network->name);
        };
        if (gateway == nullptr || rank(candidate) < rank(*gateway)) gateway = &candidate;
    }

    std::set<std::string> names;
    for (const Candidate& candidate : order) names.insert(endpoint_options(*candidate.attachment).interface_name);
    std::vector<PlannedEndpoint> result;
    for (const Candidate& candidate : order) {
        PlannedEndpoint planned;
        planned.network = candidate.network;
        planned.wanted_address = candidate.attachment->ipv4_address;
        planned.wanted_address6 = candidate.attachment->ipv6_address;
        store::Endpoint& endpoint = planned.endpoint;
        endpoint.container_id = container_id;
        endpoint.network_id = candidate.network->id;
        endpoint.index = static_cast<int>(result.size());
        endpoint.mac = candidate.attachment->mac_address;
        endpoint.interface = fmt::format("cv{}{}", container_id.substr(0, 11), endpoint.index);
        endpoint.aliases = names_of(service, *candidate.attachment, container_id, container_name, *candidate.network);
        endpoint.default_route = &candidate == gateway;
        const EndpointOptions options = endpoint_options(*candidate.attachment);
        endpoint.name = options.interface_name;
        if (endpoint.name.empty()) endpoint.number = free_number(interface_prefix(*candidate.network), names);
        endpoint.sysctls = options.sysctls;
        endpoint.gw_priority = candidate.attachment->gw_priority;
        endpoint.link_local = candidate.attachment->link_local_ips;
        result.push_back(std::move(planned));
    }
    return result;
}

void give_addresses(const store::Store& store, PlannedEndpoint& planned) {
    store::Endpoint& endpoint = planned.endpoint;
    if (!planned.network->subnet.empty())
        endpoint.address = store.allocate_address(*planned.network, planned.wanted_address);
    else if (!planned.wanted_address.empty())
        throw make_error(ErrorKind::invalid, "network {} has no IPv4: address {} can't be given", planned.network->name,
                         planned.wanted_address);
    std::vector<std::string> taken;
    if (planned.network->options.contains("subnet6"))
        for (const store::Endpoint& other : store.endpoints_on(planned.network->id))
            taken.insert(taken.end(), other.link_local.begin(), other.link_local.end());
    const std::string address6 = choose_address6(*planned.network, endpoint.address, planned.wanted_address6, taken);
    if (!address6.empty()) endpoint.link_local.push_back(address6);
    check_mac(*planned.network, endpoint.mac);
    if (!endpoint.mac.empty() || has_mac_of_parent(*planned.network)) return;
    if (const auto ip = net::Ipv4::parse(endpoint.address))
        endpoint.mac = net::to_string(net::mac_of(*ip));
    else if (const auto six = net::Ipv6::parse(address6))
        endpoint.mac = net::to_string(net::mac_of(*six));
}

}  // namespace compose::engine
