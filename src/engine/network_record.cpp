#include "engine/network_record.hpp"

#include <compose/objects.hpp>
#include <compose/version.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "engine/network_options.hpp"
#include "engine/network_pools.hpp"
#include "net/address.hpp"
#include "net/bridge.hpp"
#include "net/parent.hpp"
#include "store/pools.hpp"
#include "sys/clock.hpp"

namespace compose::engine {

store::Labels network_labels(const Network& network, const std::string& project) {
    store::Labels labels = network.labels;
    if (project == kStandaloneProject) return labels;
    labels["com.docker.compose.project"] = project;
    labels["com.docker.compose.network"] = network.key;
    labels["com.docker.compose.config-hash"] = network.config_hash;
    labels["com.docker.compose.version"] = kVersion;
    return labels;
}

store::Network network_record(const Network& network, const std::string& project, const std::string& installation) {
    const bool by_hand = project == kStandaloneProject;
    store::Network row;
    if (!network.driver.empty() && network.driver != "default") row.driver = network.driver;
    if (row.driver != "bridge" && !is_stacked(row))
        throw make_error(ErrorKind::invalid, "network {}: driver \"{}\" is not supported", network.name, network.driver)
            .with_hint("one of bridge, macvlan, ipvlan");
    // The default network has the same id before it is made and after.
    row.id = by_hand && network.name == kBridgeNetwork ? sha256_hex(installation + "/network/" + network.name)
                                                       : sys::random_id();
    row.name = network.name;
    row.project = project;
    row.key = network.key;
    if (!is_stacked(row)) row.bridge = "cmp" + row.id.substr(0, 12);
    row.internal = network.internal;
    row.attachable = network.attachable;
    row.labels = network_labels(network, project);
    row.config_hash = network.config_hash;
    row.definition = network.definition;
    row.created_at = sys::wall_now().time_since_epoch().count();
    row.options = network_options(network);
    if (const auto bridge = network.driver_opts.find(kBridgeName); bridge != network.driver_opts.end())
        row.bridge = bridge->second;
    if (const IpamPool* pool = pool_of(network, false)) {
        row.subnet = pool->subnet;
        row.gateway = pool->gateway;
    }
    if (network.enable_ipv6 && !row.options.contains("subnet6")) {
        const std::string subnet = private_subnet6(row.id);
        row.options["subnet6"] = subnet;
        row.options["gateway6"] = net::Prefix6::parse(subnet)->host(1).to_string();
    }
    return row;
}

void check_subnets6(const store::Network& row, const store::Store& store) {
    const auto subnets_of = [](const store::Network& network) {
        std::vector<net::Prefix6> subnets;
        for (const store::Pool& pool : store::pools_of(network, true))
            if (const auto subnet = net::Prefix6::parse(pool.subnet)) subnets.push_back(*subnet);
        return subnets;
    };
    const auto own = subnets_of(row);
    if (own.empty()) return;
    for (const store::Network& other : store.networks(""))
        for (const net::Prefix6& taken : subnets_of(other))
            for (const net::Prefix6& subnet : own)
                if (taken.overlaps(subnet))
                    throw make_error(ErrorKind::conflict,
                                     "network {}: subnet {} overlaps {} of network {} (project {})", row.name,
                                     subnet.to_string(), taken.to_string(), other.name, other.project)
                        .with_hint("choose another subnet, or remove that network");
}

void check_bridge_free(const store::Network& row) {
    if (is_stacked(row) || !net::bridge_exists(row.bridge)) return;
    throw make_error(ErrorKind::conflict, "network {}: there is a bridge {} already", row.name, row.bridge)
        .with_hint("choose another name in driver_opts, or remove that bridge");
}

std::vector<std::string> routes_to_avoid(const store::Network* going) {
    std::vector<std::string> result;
    for (const net::Prefix& route : net::host_routes()) result.push_back(route.to_string());
    if (going != nullptr)
        for (const store::Pool& pool : store::pools_of(*going, false)) std::erase(result, pool.subnet);
    return result;
}

void choose_parent(store::Network& row, const store::Store& store) {
    std::string& parent = row.options["parent"];
    bool ours =
        in_context([&] { return "network " + row.name; }, [&] { return net::check_parent(row.driver, parent); });
    if (parent.empty()) {
        parent = net::dummy_name(row.driver, row.id);
        row.internal = true;
    }
    for (const store::Network& other : store.networks("")) {
        if (!is_stacked(other) || other.options.at("parent") != parent) continue;
        ours = ours || other.options.contains("made");
        const bool alone = row.options.at("mode") == "passthru" || other.options.at("mode") == "passthru";
        if (alone || other.driver != row.driver)
            throw make_error(ErrorKind::conflict, "network {}: its parent {} is already used by network {}", row.name,
                             parent, other.name)
                .with_hint(alone ? "macvlan in passthru mode has its parent for itself"
                                 : "macvlan and ipvlan can't share a parent");
    }
    if (ours) row.options["made"] = "true";
}

}  // namespace compose::engine
