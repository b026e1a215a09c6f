#include "engine/network_swap.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/endpoints.hpp"
#include "engine/live_endpoint.hpp"
#include "engine/network_pools.hpp"
#include "engine/network_record.hpp"
#include "net/address.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kLargestHosts = std::size_t{1} << 20U;

/// One container's place, as it was and as it will be.
struct Move {
    store::Endpoint old;
    PlannedEndpoint planned;
    bool fixed = false;      // its file asks for the address
    bool keeps_mac = false;  // likewise
};

std::string address6_of(const store::Endpoint& endpoint) {
    const auto six = std::find_if(endpoint.link_local.begin(), endpoint.link_local.end(),
                                  [](const std::string& text) { return text.find(':') != std::string::npos; });
    return six == endpoint.link_local.end() ? std::string{} : *six;
}

bool is_derived(const store::Endpoint& endpoint) {
    if (const auto four = net::Ipv4::parse(endpoint.address);
        four && net::to_string(net::mac_of(*four)) == endpoint.mac)
        return true;
    const auto six = net::Ipv6::parse(address6_of(endpoint));
    return six && net::to_string(net::mac_of(*six)) == endpoint.mac;
}

/// May a container go on with an address that nobody chose for it?
bool still_fits(const std::string& address, const store::Network& network) {
    const auto pool = pool_with(network, address);
    if (!pool || address == pool->gateway) return false;
    if (const auto range = net::Prefix::parse(pool->range); range && !range->contains(*net::Ipv4::parse(address)))
        return false;
    return std::none_of(pool->reserved.begin(), pool->reserved.end(),
                        [&](const auto& entry) { return entry.second == address; });
}

/// What the definition that the container was made from asks for.
void read_wishes(const std::string& definition, const std::string& key, Move& move) {
    if (definition.empty()) return;
    const json::value parsed = parse_json(definition);
    const json::object* service = parsed.if_object();
    const json::value* networks = service == nullptr ? nullptr : service->if_contains("networks");
    if (networks == nullptr || !networks->is_object()) return;
    move.keeps_mac = !string_or(*service, "mac_address").empty();
    const json::value* place = networks->get_object().if_contains(key);
    if (place == nullptr || !place->is_object()) return;
    move.planned.wanted_address = string_or(place->get_object(), "ipv4_address");
    move.planned.wanted_address6 = string_or(place->get_object(), "ipv6_address");
    move.fixed = !move.planned.wanted_address.empty();
    move.keeps_mac = move.keeps_mac || !string_or(place->get_object(), "mac_address").empty();
}

Move plan_move(const store::Store& store, const store::Endpoint& old, const store::Network& from,
               const store::Network& to) {
    Move move;
    move.old = old;
    move.planned.network = &to;
    store::Endpoint& endpoint = move.planned.endpoint;
    endpoint = old;
    endpoint.network_id = to.id;
    endpoint.address.clear();
    std::erase_if(endpoint.link_local, [](const std::string& text) { return text.find(':') != std::string::npos; });
    if (supervisor::interface_prefix(from) != supervisor::interface_prefix(to)) {
        std::set<std::string> names;
        for (const store::Endpoint& other : store.endpoints_of(old.container_id))
            if (const auto network = store.network(other.network_id))
                names.insert(supervisor::interface_of(other, *network).container_name);
        endpoint.number = free_number(supervisor::interface_prefix(to), names);
    }
    read_wishes(store.container_texts(old.container_id).definition, from.key, move);
    if (!move.keeps_mac && is_derived(old)) endpoint.mac.clear();
    if (!move.fixed && still_fits(old.address, to)) move.planned.wanted_address = old.address;
    return move;
}

Readdressed difference(const Move& move, const store::Network& from, const store::Network& to) {
    Readdressed out{move.old.container_id, {}};
    const auto add = [&](const std::string& before, const std::string& after) {
        if (!before.empty() && !after.empty() && before != after) out.addresses[before] = after;
    };
    const auto option = [](const store::Network& network, const char* key) {
        const auto found = network.options.find(key);
        return found == network.options.end() ? std::string{} : found->second;
    };
    add(move.old.address, move.planned.endpoint.address);
    add(address6_of(move.old), address6_of(move.planned.endpoint));
    add(from.gateway, to.gateway);
    add(option(from, "gateway6"), option(to, "gateway6"));
    return out;
}

void put_in_place(store::Store& store, const store::Network& old, store::Network& fresh) {
    if (fresh.bridge != old.bridge) check_bridge_free(fresh);
    if (is_stacked(fresh)) {
        choose_parent(fresh, store);
        // The engine's own parent stays when both stand on it.
        if (is_stacked(old) && old.options.contains("made") && old.options.at("parent") == fresh.options.at("parent"))
            fresh.options["made"] = "true";
    }
    check_subnets6(fresh, store);
    store.insert_network(fresh, routes_to_avoid(&old));
}

std::vector<Readdressed> move_all(store::Store& store, const store::Network& old, store::Network& fresh) {
    const std::vector<store::Endpoint> there = store.endpoints_on(old.id);
    for (const store::Endpoint& endpoint : there) store.remove_endpoint(endpoint.container_id, old.id);
    store.delete_network(old.id);
    put_in_place(store, old, fresh);
    std::vector<Move> moves;
    for (const store::Endpoint& endpoint : there) moves.push_back(plan_move(store, endpoint, old, fresh));
    // Who must have an address goes first, then who may keep one.
    std::stable_sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) {
        if (a.fixed != b.fixed) return a.fixed;
        return !a.planned.wanted_address.empty() && b.planned.wanted_address.empty();
    });
    std::vector<Readdressed> result;
    for (Move& move : moves) {
        const auto container = store.container(move.old.container_id);
        in_context([&] { return "container " + (container ? container->name : move.old.container_id); },
                   [&] {
                       give_addresses(store, move.planned);
                       store.add_endpoint(move.planned.endpoint);
                       assign_default_route(store, move.old.container_id);
                   });
        result.push_back(difference(move, old, fresh));
    }
    return result;
}

struct Undone {};

}  // namespace

std::vector<Readdressed> take_place(store::Store& store, const store::Network& old, store::Network& fresh) {
    for (const store::Endpoint& endpoint : store.endpoints_on(old.id))
        if (const auto container = store.container(endpoint.container_id); container && store::is_up(container->state))
            throw make_error(ErrorKind::conflict, "network {} is in use by container {}", old.name, container->name)
                .with_hint("somebody started it, or connected it, a moment ago: try again");
    return move_all(store, old, fresh);
}

void check_take_place(store::Store& store, const store::Network& old, store::Network fresh,
                      const std::set<std::string>& leaving) {
    try {
        store.transaction([&] {
            for (const std::string& id : leaving) store.remove_endpoint(id, old.id);
            (void)move_all(store, old, fresh);
            throw Undone{};
        });
    } catch (const Undone&) {  // as it should be
    }
}

void rewrite_hosts(const std::string& container_folder, const Readdressed& change) {
    const std::string path = container_folder + "/hosts";
    // The container may have written anything into it.
    if (change.addresses.empty() || !sys::exists(path) || std::filesystem::file_size(path) > kLargestHosts) return;
    std::vector<std::string> lines = split(sys::read_file(path, kLargestHosts), '\n');
    bool changed = false;
    for (std::string& line : lines) {
        const std::size_t end = line.find_first_of(" \t");
        const auto found = change.addresses.find(line.substr(0, end));
        if (end == std::string::npos || found == change.addresses.end()) continue;
        line.replace(0, end, found->second);
        changed = true;
    }
    if (!changed) return;
    sys::replace_file(path, join(lines, "\n"), 0644);
    std::filesystem::permissions(path, std::filesystem::perms{0644});  // whatever the umask
}

}  // namespace compose::engine
