// Networks: row first, kernel object after; removal the other way round, in one transaction.
#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/action_context.hpp"
#include "engine/firewall_sync.hpp"
#include "engine/network_record.hpp"
#include "engine/network_swap.hpp"
#include "net/bridge.hpp"
#include "net/firewall.hpp"
#include "net/parent.hpp"
#include "store/event_log.hpp"
#include "store/pools.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/error.hpp"
#include "sys/netns_lock.hpp"

namespace compose::engine {
namespace {

using Status = Event::Status;

void make_kernel_objects(const store::Network& row, const store::Store& store) {
    if (is_stacked(row)) return supervisor::ensure_parent(row);
    const net::FirewallNetwork wall = firewall_network(row);
    net::create_bridge(supervisor::bridge_of(row));
    supervisor::settle_bridge_filter(store);
    net::Firewall firewall = firewall_of(store);
    firewall.ensure();
    firewall.add_network(wall);
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
    store::Network row = network_record(network, context.project, store.installation_id());
    // Another installation on this machine may look for a free subnet at the same time.
    const sys::NetnsLock lock;
    // One of that name that is not ours must not become ours, or it would go with the network.
    check_bridge_free(row);
    if (is_stacked(row)) choose_parent(row, store);
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

/// A command that was killed may have left a start under way. On a network that is replaced meanwhile it would run on
/// unnoticed; the plan starts it afterwards.
void end_starts(const store::Network& row, Session& session) {
    const store::Store& store = session.store();
    for (const store::Endpoint& endpoint : store.endpoints_on(row.id)) {
        const auto container = store.container(endpoint.container_id);
        if (!container || container->project != session.project() || store::is_up(container->state)) continue;
        (void)session.ask_running([&](supervisor::Client& client) { client.stop(container->id, std::nullopt); });
    }
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

void perform(const RecreateNetwork& action, ActionContext& context, Session& session) {
    const std::string id = "Network " + action.name;
    context.tell(Status::working, id, "Removing");
    if (context.dry_run) {
        context.tell(Status::done, id, "Removed");
        context.tell(Status::working, id, "Creating");
        return context.tell(Status::done, id, "Created");
    }
    store::Store& store = session.store();
    const auto old = store.network(action.id);
    if (!old) return perform(CreateNetwork{action.key, action.name}, context, session);
    store::Network fresh =
        network_record(context.file->networks.at(action.key), context.project, store.installation_id());
    end_starts(*old, session);
    const sys::NetnsLock lock;
    // A crash before the end of the transaction leaves the old network without a bridge, which is a network to be made
    // anew; one after it a new network without a bridge, which is one to be repaired. Nobody is ever without a place.
    store.transaction([&] {
        const auto moves = take_place(store, *old, fresh);
        for (const Readdressed& move : moves) rewrite_hosts(context.layout.container(move.container_id), move);
        remove_kernel_objects(*old, store);
    });
    tell_event(context, *old, "destroy");
    context.tell(Status::done, id, "Removed");
    context.tell(Status::working, id, "Creating");
    make_kernel_objects(fresh, store);
    tell_event(context, fresh, "create");
    context.generation.bump();
    context.tell(Status::done, id, "Created");
}

void perform(const UpdateNetwork& action, ActionContext& context, Session& session) {
    const std::string id = "Network " + action.name;
    context.tell(Status::working, id, "Updating");
    if (!context.dry_run) {
        const Network& network = context.file->networks.at(action.key);
        store::Network row;
        row.id = action.id;
        row.labels = network_labels(network, context.project);
        row.config_hash = network.config_hash;
        row.definition = network.definition;
        session.store().update_labels(row);
    }
    context.tell(Status::done, id, "Updated");
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
