// Whether everybody has a place on the networks as the plan makes them: known before anything is stopped.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/network_pools.hpp"
#include "engine/network_record.hpp"
#include "engine/network_swap.hpp"
#include "engine/preflight.hpp"
#include "store/pools.hpp"

namespace compose::engine {
namespace {

/// The networks as they will be, by key. Those without a subnet of their own get one when they are made.
std::map<std::string, store::Network> networks_to_be(const Project& project, const Plan& plan,
                                                     const store::Store& store) {
    std::map<std::string, store::Network> result;
    for (const Plan::Node& node : plan.nodes) {
        std::string key;
        if (const auto* create = std::get_if<CreateNetwork>(&node.action)) key = create->key;
        if (const auto* anew = std::get_if<RecreateNetwork>(&node.action)) key = anew->key;
        if (!key.empty()) result[key] = network_record(project.networks.at(key), project.name, store.installation_id());
    }
    for (const auto& [key, network] : project.networks)
        if (!result.contains(key))
            if (auto row = store.network_by_name(network.name)) result[key] = std::move(*row);
    return result;
}

void check_address(const store::Network& network, const NetworkAttachment& attachment, const std::string& address,
                   const std::string& service, std::vector<Diagnostic>& findings) {
    std::vector<std::string> subnets;
    for (const store::Pool& pool : store::pools_of(network, address.find(':') != std::string::npos))
        subnets.push_back(pool.subnet);
    if (address.empty() || subnets.empty() || pool_with(network, address)) return;
    findings.push_back({Severity::error, attachment.pos, "services." + service + ".networks." + attachment.network,
                        fmt::format("address {} is not in network {} ({})", address, network.name, join(subnets, ", ")),
                        "choose an address of that subnet, or leave it out"});
}

}  // namespace

void check_network_places(const Project& project, const Plan& plan, store::Store& store) {
    std::vector<Diagnostic> findings;
    std::set<std::string> services, leaving;
    for (const Plan::Node& node : plan.nodes) {
        if (const auto* create = std::get_if<CreateContainer>(&node.action)) services.insert(create->service);
        if (const auto* removal = std::get_if<RemoveContainer>(&node.action)) leaving.insert(removal->container.id);
        if (const auto* start = std::get_if<StartContainer>(&node.action)) services.insert(start->service);
    }
    const auto networks = networks_to_be(project, plan, store);
    for (const std::string& name : services) {
        const auto service = project.services.find(name);
        if (service == project.services.end()) continue;  // an orphan
        for (const NetworkAttachment& attachment : service->second.networks) {
            const auto network = networks.find(attachment.network);
            if (network == networks.end()) continue;
            check_address(network->second, attachment, attachment.ipv4_address, name, findings);
            check_address(network->second, attachment, attachment.ipv6_address, name, findings);
        }
    }
    for (const Plan::Node& node : plan.nodes) {
        const auto* anew = std::get_if<RecreateNetwork>(&node.action);
        const auto old = anew == nullptr || !findings.empty() ? std::nullopt : store.network(anew->id);
        if (!old) continue;
        try {
            check_take_place(store, *old, networks.at(anew->key), leaving);
        } catch (const Error& error) {
            findings.push_back({Severity::error, project.networks.at(anew->key).pos, "networks." + anew->key,
                                error.what(), error.hint()});
        }
    }
    if (!findings.empty()) throw ProjectError(std::move(findings), ErrorKind::conflict);
}

}  // namespace compose::engine
