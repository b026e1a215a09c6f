// Networks by name: the actions of a plan, one at a time, over a project of its own.
#include <algorithm>
#include <compose/objects.hpp>
#include <compose/plan.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "engine/action_context.hpp"
#include "engine/container_details.hpp"
#include "engine/live_endpoint.hpp"
#include "engine/network_pools.hpp"
#include "engine/silent_sink.hpp"
#include "net/address.hpp"
#include "store/event_log.hpp"
#include "store/store.hpp"
#include "supervisor/client.hpp"
#include "sys/file.hpp"

namespace compose {

namespace {

constexpr const char* kHost = "host";
constexpr const char* kNone = "none";
constexpr std::chrono::seconds kLockTimeout{60};

bool is_predefined(const std::string& name) {
    return name == kBridgeNetwork || name == kHost || name == kNone;
}

NetworkView predefined(const store::Store& store, const std::string& name) {
    NetworkView view;
    view.id = sha256_hex(store.installation_id() + "/network/" + name);
    view.name = name;
    view.driver = name == kNone ? "null" : name;
    return view;
}

NetworkView view_of(const store::Network& row) {
    NetworkView view;
    view.id = row.id;
    view.name = row.name;
    view.project = row.project == kStandaloneProject ? "" : row.project;
    view.driver = row.driver;
    view.subnet = row.subnet;
    view.interface = row.bridge;
    const auto option = [&](const char* key) {
        const auto found = row.options.find(key);
        return found == row.options.end() ? std::string() : found->second;
    };
    view.subnet6 = option("subnet6");
    for (const bool ipv6 : {false, true})
        for (const store::Pool& pool : store::pools_of(row, ipv6))
            view.pools.push_back({pool.subnet, pool.gateway, pool.range, pool.reserved});
    view.stacked = is_stacked(row);
    if (view.stacked) {
        view.interface = option("parent");
        view.options["parent"] = option("parent");
        view.options[row.driver + "_mode"] = option("mode");
        if (!option("flag").empty()) view.options["ipvlan_flag"] = option("flag");
    } else {
        view.options["com.docker.network.bridge.name"] = row.bridge;
    }
    static constexpr std::pair<const char*, const char*> kShown[] = {
        {"mtu", "com.docker.network.driver.mtu"},
        {"icc", "com.docker.network.bridge.enable_icc"},
        {"masquerade", "com.docker.network.bridge.enable_ip_masquerade"},
        {"host_binding", "com.docker.network.bridge.host_binding_ipv4"},
        {"gateway_mode", "com.docker.network.bridge.gateway_mode_ipv4"},
        {"gateway_mode6", "com.docker.network.bridge.gateway_mode_ipv6"},
        {"source", "com.docker.network.host_ipv4"},
        {"source6", "com.docker.network.host_ipv6"},
        {"trusted", "com.docker.network.bridge.trusted_host_interfaces"},
        {"inhibit", "com.docker.network.bridge.inhibit_ipv4"},
        {"interface_prefix", "com.docker.network.container_iface_prefix"},
    };
    for (const auto& [kept_as, key] : kShown)
        if (const std::string value = option(kept_as); !value.empty()) view.options[key] = value;
    view.internal = row.internal;
    view.attachable = row.attachable;
    view.labels = row.labels;
    view.created_at = row.created_at;
    return view;
}

std::string names_of(const std::vector<NetworkMember>& members) {
    std::string out;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i == 5) return out + fmt::format(" and {} more", members.size() - i);
        out += (i == 0 ? "" : ", ") + members[i].name;
    }
    return out;
}

}  // namespace

struct Networks::Impl {
    EngineOptions options;
    store::Layout layout;
    engine::SilentSink sink{};

    [[nodiscard]] store::Store open() const {
        layout.prepare();
        return store::Store(layout);
    }

    static void add_members(store::Store& store, NetworkView& view) {
        const auto row = store.network(view.id);
        if (!row) return;  // predefined, and not made yet
        const auto with_length = [&](const std::string& address) {
            const auto pool = engine::pool_with(*row, address);
            return pool ? address + pool->subnet.substr(pool->subnet.find('/')) : std::string();
        };
        for (const store::Endpoint& endpoint : store.endpoints_on(view.id)) {
            const auto container = store.container(endpoint.container_id);
            NetworkMember member{endpoint.container_id, container ? container->name : "", endpoint.mac,
                                 with_length(endpoint.address), ""};
            for (const std::string& text : endpoint.link_local)
                if (text.find(':') != std::string::npos) member.address6 = with_length(text);
            view.members.push_back(std::move(member));
        }
    }

    static std::vector<NetworkView> all(store::Store& store) {
        std::vector<NetworkView> result;
        for (const store::Network& row : store.networks("")) result.push_back(view_of(row));
        for (const char* name : {kBridgeNetwork, kHost, kNone})
            if (std::none_of(result.begin(), result.end(), [&](const auto& view) { return view.name == name; }))
                result.push_back(predefined(store, name));
        std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        return result;
    }

    static NetworkView find(store::Store& store, const std::string& reference) {
        std::vector<NetworkView> found;
        for (NetworkView& view : all(store)) {
            if (view.name == reference || view.id == reference) return std::move(view);
            if (!reference.empty() && view.id.starts_with(reference)) found.push_back(std::move(view));
        }
        if (found.empty()) throw make_error(ErrorKind::not_found, "network {} not found", reference);
        if (found.size() > 1)
            throw make_error(ErrorKind::conflict, "network id {} is ambiguous: write more digits", reference);
        return std::move(found.front());
    }

    void make(store::Store& store, Network network) {
        const store::ProjectLock lock(layout, kStandaloneProject, options.command, kLockTimeout);
        if (store.network_by_name(network.name))
            throw make_error(ErrorKind::conflict, "network with name {} already exists", network.name);
        network.key = network.name;
        Project project;
        project.name = kStandaloneProject;
        project.networks.emplace(network.name, network);
        engine::ActionContext context(layout, kStandaloneProject, &project, sink);
        engine::Session session(layout, kStandaloneProject);
        perform(CreateNetwork{network.name, network.name}, context, session);
    }

    /// The names that others find it by have changed, and what its supervisor remembers of it.
    void tell(const store::Container& row, const NetworkView& view, const char* action) const {
        store::Generation(layout).bump();
        if (auto client = supervisor::Client::connect(layout, row.project)) client->refresh(row.id);
        store::append_event(layout, {.type = "network",
                                     .action = action,
                                     .id = view.id,
                                     .name = view.name,
                                     .project = view.project,
                                     .service = {},
                                     .attributes = {{"container", row.id}, {"type", view.driver}}});
    }

    void take_away(const NetworkView& view) {
        engine::ActionContext context(layout, kStandaloneProject, nullptr, sink);
        engine::Session session(layout, kStandaloneProject);
        perform(RemoveNetwork{view.name, view.id}, context, session);
    }
};

Networks::Networks(EngineOptions options)
    : impl_(new Impl{options, store::Layout::from(options.state_dir, options.run_dir)}) {}

Networks::~Networks() = default;

std::vector<NetworkView> Networks::list(bool members) {
    store::Store store = impl_->open();
    std::vector<NetworkView> result = Impl::all(store);
    if (members)
        for (NetworkView& view : result) Impl::add_members(store, view);
    return result;
}

NetworkView Networks::find(const std::string& reference) {
    store::Store store = impl_->open();
    NetworkView view = Impl::find(store, reference);
    Impl::add_members(store, view);
    return view;
}

std::string Networks::create(Network network, const PoolParts& parts) {
    engine::place_in_pools(parts.gateways, parts.ranges, parts.aux_addresses, network.ipam);
    if (is_predefined(network.name))
        throw make_error(ErrorKind::conflict, "network {} is predefined: it is always there", network.name);
    store::Store store = impl_->open();
    impl_->make(store, network);
    return store.network_by_name(network.name).value().id;
}

void Networks::remove(const std::string& reference) {
    store::Store store = impl_->open();
    NetworkView view = Impl::find(store, reference);
    if (is_predefined(view.name))
        throw make_error(ErrorKind::conflict, "{} is a pre-defined network and cannot be removed", view.name);
    Impl::add_members(store, view);
    if (!view.members.empty())
        throw make_error(ErrorKind::conflict, "network {} is in use by {} {}", view.name,
                         view.members.size() == 1 ? "container" : "containers", names_of(view.members))
            .with_hint("remove them, or use 'network disconnect'");
    impl_->take_away(view);
}

void Networks::ensure_bridge() {
    store::Store store = impl_->open();
    if (store.network_by_name(kBridgeNetwork)) return;
    Network network;
    network.name = kBridgeNetwork;
    try {
        impl_->make(store, network);
    } catch (const Error& error) {
        // Somebody else was first.
        if (error.kind() != ErrorKind::conflict || !store.network_by_name(kBridgeNetwork)) throw;
    }
}

bool Networks::release_bridge() {
    store::Store store = impl_->open();
    const auto row = store.network_by_name(kBridgeNetwork);
    if (!row || !store.endpoints_on(row->id).empty()) return false;
    impl_->take_away(view_of(*row));
    return true;
}

void Networks::connect(const std::string& network, const std::string& container, const ConnectOptions& options) {
    store::Store store = impl_->open();
    const NetworkView view = Impl::find(store, network);
    const store::Container row = engine::find_container(store, container);
    if (view.driver == kHost || view.driver == "null")
        throw make_error(ErrorKind::conflict, "container {} cannot be connected to network {}", row.name, view.name)
            .with_hint("host and none are chosen when a container is made: run --network");
    if (view.name == kBridgeNetwork) {
        if (!options.aliases.empty())
            throw make_error(ErrorKind::usage, "the network bridge has no names, so no aliases");
        if (!options.links.empty())
            throw make_error(ErrorKind::usage, "links on the network bridge are made with the container: run --link");
        ensure_bridge();
    }
    engine::attach_endpoint(store, row, store.network(view.id).value(), options);
    impl_->tell(row, view, "connect");
}

void Networks::disconnect(const std::string& network, const std::string& container, bool force) {
    store::Store store = impl_->open();
    const NetworkView view = Impl::find(store, network);
    std::optional<store::Container> row;
    try {
        row = engine::find_container(store, container);
    } catch (const Error& error) {
        if (!force || error.kind() != ErrorKind::not_found) throw;
        return;
    }
    if (!engine::detach_endpoint(store, *row, view.id)) {
        if (force) return;
        throw make_error(ErrorKind::conflict, "container {} is not connected to network {}", row->name, view.name);
    }
    impl_->tell(*row, view, "disconnect");
}

}  // namespace compose
