// Networks: row first, kernel object after; removal the other way round, in one transaction.
#include <compose/objects.hpp>
#include <compose/version.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/action_context.hpp"
#include "engine/firewall_sync.hpp"
#include "engine/network_options.hpp"
#include "engine/network_pools.hpp"
#include "net/bridge.hpp"
#include "net/firewall.hpp"
#include "net/parent.hpp"
#include "store/event_log.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"
#include "sys/error.hpp"
#include "sys/netns_lock.hpp"

namespace compose::engine {
namespace {

using Status = Event::Status;

store::Network row_of(const Network& network, const std::string& project, const std::string& installation) {
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
    row.labels = network.labels;
    if (!by_hand) {
        row.labels["com.docker.compose.project"] = project;
        row.labels["com.docker.compose.network"] = network.key;
        row.labels["com.docker.compose.config-hash"] = network.config_hash;
        row.labels["com.docker.compose.version"] = kVersion;
    }
    row.config_hash = network.config_hash;
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

/// The database sees to the subnets of IPv4 only. The caller holds the lock under which networks are made.
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

/// Finds what a macvlan or ipvlan network is to stand on. Without a parent, a dummy stands in: nothing leads out.
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

void make_kernel_objects(const store::Network& row, const store::Store& store) {
    if (is_stacked(row)) return supervisor::ensure_parent(row);
    const net::FirewallNetwork wall = firewall_network(row);
    net::create_bridge(supervisor::bridge_of(row));
    supervisor::settle_bridge_filter(store);
    net::Firewall firewall = firewall_of(store);
    firewall.ensure();
    firewall.add_network(wall);
}

std::vector<std::string> routes_to_avoid() {
    std::vector<std::string> result;
    for (const net::Prefix& route : net::host_routes()) result.push_back(route.to_string());
    return result;
}

/// A VLAN that the engine has made goes with the last network on it.
void remove_parent(const store::Network& row, const store::Store& store) {
    if (!row.options.contains("made")) return;
    const std::string& parent = row.options.at("parent");
    for (const store::Network& other : store.networks(""))
        if (other.id != row.id && is_stacked(other) && other.options.at("parent") == parent) return;
    net::remove_parent(parent);
}

void remove_kernel_objects(const store::Network& row, const store::Store& store) {
    if (is_stacked(row)) return remove_parent(row, store);
    net::Firewall("compose-" + store.installation_id()).remove_network(firewall_network(row));
    net::remove_bridge(row.bridge);
}

/// The rules of the last network go with the whole table: the kernel has its caller wait after each removal of rules.
void remove_last_objects(const store::Network& row, const store::Store& store) {
    if (is_stacked(row)) remove_parent(row, store);
    net::Firewall("compose-" + store.installation_id()).remove();
    if (!is_stacked(row)) net::remove_bridge(row.bridge);
}

store::Network create(const Network& network, ActionContext& context, store::Store& store) {
    store::Network row = row_of(network, context.project, store.installation_id());
    // Another installation on this machine may look for a free subnet at the same time.
    const sys::NetnsLock lock;
    // One of that name that is not ours must not become ours, or it would go with the network.
    if (is_stacked(row))
        choose_parent(row, store);
    else if (net::bridge_exists(row.bridge))
        throw make_error(ErrorKind::conflict, "network {}: there is a bridge {} already", row.name, row.bridge)
            .with_hint("choose another name in driver_opts, or remove that bridge");
    check_subnets6(row, store);
    store.insert_network(row, routes_to_avoid());
    try {
        make_kernel_objects(row, store);
    } catch (...) {
        try {
            remove_kernel_objects(row, store);
            store.delete_network(row.id);
        } catch (const Error& error) {
            log::debug("take network {} back: {}", row.name, error.what());
        }
        throw;
    }
    return row;
}

void tell_event(const ActionContext& context, const store::Network& row, const char* action) {
    store::append_event(context.layout, {.type = "network",
                                         .action = action,
                                         .id = row.id,
                                         .name = row.name,
                                         .project = row.project,
                                         .service = {},
                                         .attributes = {{"type", row.driver}}});
}

void check_routes(const store::Network& row) {
    const auto routes = net::host_routes();
    for (const store::Pool& pool : store::pools_of(row, false)) {
        const auto subnet = net::Prefix::parse(pool.subnet);
        for (const net::Prefix& route : routes)
            if (subnet && route.length > 0 && route.overlaps(*subnet))
                throw make_error(ErrorKind::conflict, "network {}: its subnet {} overlaps {} of this host", row.name,
                                 pool.subnet, route.to_string())
                    .with_hint("run \"compose down\" and \"compose up\" to get another one");
    }
}

/// After a reboot the row is there and the bridge is not. The subnet may have been taken meanwhile.
void repair(const store::Network& row, store::Store& store) {
    const sys::NetnsLock lock;
    if (!is_stacked(row) && has_ipv4(row) && !net::bridge_exists(row.bridge)) check_routes(row);
    make_kernel_objects(row, store);
}

}  // namespace

void perform(const CreateNetwork& action, ActionContext& context, Session& session) {
    const std::string id = "Network " + action.name;
    context.tell(Status::working, id, "Creating");
    if (!context.dry_run) {
        store::Store& store = session.store();
        const Network& network = context.file->networks.at(action.key);
        if (const auto row = store.network_by_name(action.name))
            repair(*row, store);
        else
            tell_event(context, create(network, context, store), "create");
    }
    context.tell(Status::done, id, "Created");
}

void perform(const RemoveNetwork& action, ActionContext& context, Session& session) {
    const std::string id = "Network " + action.name;
    context.tell(Status::working, id, "Removing");
    if (!context.dry_run) {
        store::Store& store = session.store();
        const auto row = store.network(action.id);
        if (row && !store.endpoints_on(row->id).empty()) {
            context.tell(Status::warning, id, "Resource is still in use");
            return;
        }
        // While the transaction is open nobody can attach a container, or make another network that needs the table.
        if (row)
            store.transaction([&] {
                store.delete_network(row->id);
                store.networks("").empty() ? remove_last_objects(*row, store) : remove_kernel_objects(*row, store);
                supervisor::settle_bridge_filter(store);
            });
        if (row) tell_event(context, *row, "destroy");
        context.generation.bump();
    }
    context.tell(Status::done, id, "Removed");
}

}  // namespace compose::engine
