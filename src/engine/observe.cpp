#include "engine/observe.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/json.hpp"
#include "base/log.hpp"
#include "engine/image_catalog.hpp"
#include "plan/depends_label.hpp"
#include "runtime/spec.hpp"
#include "supervisor/client.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/process.hpp"
#include "sys/process_tree.hpp"

namespace compose::engine {
namespace {

using store::ContainerState;

bool runs(ContainerState state) {
    return store::is_up(state);
}

ObservedStatus status_of(ContainerState state) {
    switch (state) {
        case ContainerState::created:
            return ObservedStatus::created;
        case ContainerState::running:
            return ObservedStatus::running;
        case ContainerState::restarting:
            return ObservedStatus::restarting;
        case ContainerState::exited:
            return ObservedStatus::exited;
        case ContainerState::dead:
            return ObservedStatus::dead;
        case ContainerState::paused:
            return ObservedStatus::paused;
    }
    return ObservedStatus::dead;
}

ObservedHealth health_of(store::Health health) {
    switch (health) {
        case store::Health::none:
            return ObservedHealth::none;
        case store::Health::starting:
            return ObservedHealth::starting;
        case store::Health::healthy:
            return ObservedHealth::healthy;
        case store::Health::unhealthy:
            return ObservedHealth::unhealthy;
    }
    return ObservedHealth::none;
}

/// One pass over the tables; nothing is asked for one container at a time.
class Observer {
public:
    Observer(store::Store& store, const std::string& project, const Project* file)
        : store_(store), file_(file), liveness_(store.layout(), project) {
        state_.project = project;
    }

    ObservedState run() {
        for (const store::Network& network : store_.networks("")) network_names_[network.id] = network.name;
        for (const store::Endpoint& endpoint : store_.endpoints(state_.project))
            endpoints_[endpoint.container_id].insert(network_names_[endpoint.network_id]);
        observe_volumes();
        observe_containers();
        observe_networks();
        observe_ports();
        if (file_ != nullptr) observe_file();
        return std::move(state_);
    }

private:
    void observe_containers() {
        for (store::Container& row : store_.containers_without_spec(state_.project)) {
            ObservedContainer container;
            container.status = status_of(liveness_.state_of(row));
            container.health = health_of(row.health);
            container.has_healthcheck = !row.config.health_json.empty();
            container.exit_code = row.exit_code;
            container.stopped_by_user = row.stopped_by_user || row.state != liveness_.state_of(row);
            container.number = row.number;
            container.oneoff = row.oneoff;
            container.hook = row.oneoff && row.labels.contains("com.docker.compose.hook");
            if (const auto label = row.labels.find("com.docker.compose.depends_on"); label != row.labels.end())
                container.depends_on = plan::parse_depends_on(label->second);
            if (const auto label = row.labels.find(kMountedImages); label != row.labels.end())
                container.mounted_images = label->second;
            container.networks = std::move(endpoints_[row.id]);
            container.volumes = std::move(uses_[row.id]);
            container.anonymous_volumes = anonymous_volumes(row.id, container.volumes);
            container.complete = sys::exists(store_.layout().container(row.id) + "/hostname");
            container.id = std::move(row.id);
            container.name = std::move(row.name);
            container.service = std::move(row.service);
            container.config_hash = std::move(row.config_hash);
            container.image_id = std::move(row.config.image_id);
            state_.containers.push_back(std::move(container));
        }
    }

    /// Where its anonymous volumes are mounted stands in the specification only; few containers have any.
    std::map<std::string, std::string> anonymous_volumes(const std::string& id, const std::set<std::string>& volumes) {
        std::map<std::string, std::string> folders, result;
        for (const std::string& name : volumes)
            if (const auto found = state_.volumes.find(name); found != state_.volumes.end() && found->second.anonymous)
                folders[store_.layout().volume_data(name)] = name;
        if (folders.empty()) return result;
        const std::optional<store::Container> row = store_.container(id);
        if (!row) return result;
        for (const runtime::MountSpec& mount : runtime::spec_from_json(row->config.spec).mounts)
            if (const auto found = folders.find(mount.source); found != folders.end())
                result[mount.target] = found->second;
        return result;
    }

    void observe_volumes() {
        for (const store::Volume& row : store_.volumes(state_.project)) add_volume(row);
        for (const auto& [container, volume] : store_.volume_uses(state_.project)) uses_[container].insert(volume);
        // Volumes may be used by other projects too; down asks who does.
        for (auto& [name, volume] : state_.volumes) volume.users = store_.volume_users(name);
    }

    ObservedVolume& add_volume(const store::Volume& row) {
        ObservedVolume& volume = state_.volumes[row.name];
        volume.name = row.name;
        volume.project = row.project;
        volume.key = row.key;
        volume.config_hash = row.config_hash;
        volume.anonymous = row.anonymous;
        return volume;
    }

    void observe_networks() {
        for (const store::Network& row : store_.networks(state_.project)) add_network(row);
    }

    void add_network(const store::Network& row) {
        ObservedNetwork& network = state_.networks[row.name];
        network.id = row.id;
        network.name = row.name;
        network.project = row.project;
        network.key = row.key;
        network.config_hash = row.config_hash;
        network.definition = row.definition;
        network.ready = supervisor::is_ready(row);
        std::set<std::string> own;
        for (const ObservedContainer& container : state_.containers) own.insert(container.id);
        for (const store::Endpoint& endpoint : store_.endpoints_on(row.id)) {
            if (own.contains(endpoint.container_id)) continue;
            const std::optional<store::Container> other = store_.container(endpoint.container_id);
            if (other) network.foreign.push_back(other->name);
        }
    }

    void observe_ports() {
        const std::vector<store::PortRecord> ports = store_.ports("");
        if (ports.empty()) return;
        std::map<std::string, const ObservedContainer*> own;
        for (const ObservedContainer& container : state_.containers) own[container.id] = &container;
        std::map<std::string, std::pair<std::string, std::string>> others;  // id -> name, project
        for (const store::PortRecord& row : ports) {
            ObservedPort port{row.container_id, {}, state_.project, row.protocol, row.host_ip, row.host_port};
            if (const auto found = own.find(row.container_id); found != own.end()) {
                port.container = found->second->name;
                // Left from before a crash: the supervisor takes ports anew at each start.
                if (found->second->status == ObservedStatus::exited) continue;
            } else {
                auto& [name, project] = others[row.container_id];
                if (name.empty())
                    if (const auto other = store_.container(row.container_id)) {
                        name = other->name;
                        project = other->project;
                    }
                port.container = name;
                port.project = project;
            }
            state_.ports.push_back(std::move(port));
        }
    }

    void observe_file() {
        for (const auto& [key, network] : file_->networks)
            if (!state_.networks.contains(network.name))
                if (const auto row = store_.network_by_name(network.name)) add_network(*row);
        for (const auto& [key, volume] : file_->volumes)
            if (!state_.volumes.contains(volume.name))
                if (const auto row = store_.volume(volume.name))
                    add_volume(*row).users = store_.volume_users(row->name);
        ImageCatalog catalog(store_);
        std::set<std::string> references;
        for (const auto& [name, service] : file_->services) {
            if (!service.image.empty()) references.insert(service.image);  // provided: it has none
            for (const Mount& mount : service.mounts)
                if (mount.type == Mount::Type::image) references.insert(mount.source);
        }
        for (const std::string& reference : references) {
            const ImageFacts* facts = catalog.find(reference);
            if (facts == nullptr) continue;
            ObservedImage image;
            image.id = facts->id;
            image.has_healthcheck = facts->healthcheck && !facts->healthcheck->disabled;
            image.has_entrypoint = !facts->entrypoint.empty();
            image.has_command = !facts->command.empty();
            state_.images[reference] = image;
        }
        for (const auto& [name, service] : file_->services) {
            if (service.container_name.empty()) continue;
            const auto holder = store_.container_by_name(service.container_name);
            if (holder && holder->project != state_.project) state_.foreign_names[holder->name] = holder->project;
        }
    }

    store::Store& store_;
    const Project* file_;
    Liveness liveness_;
    ObservedState state_;
    std::map<std::string, std::string> network_names_;        // by id
    std::map<std::string, std::set<std::string>> endpoints_;  // container id -> network names
    std::map<std::string, std::set<std::string>> uses_;       // container id -> volume names
};

}  // namespace

Liveness::Liveness(const store::Layout& layout, const std::string& project)
    : supervised_(sys::FileLock::held(layout.keeper_lock(project))) {
    if (!supervised_) boot_id_ = sys::boot_id();
}

bool Liveness::abandoned(const store::Container& container) const {
    if (supervised_ || !runs(container.state) || container.boot_id != boot_id_ || container.pid <= 0) return false;
    return sys::start_time(container.pid) == container.pid_start_time;
}

store::ContainerState Liveness::state_of(const store::Container& container) const {
    if (supervised_ || !runs(container.state)) return container.state;
    return abandoned(container) && !sys::is_zombie(container.pid) ? container.state : ContainerState::exited;
}

ObservedState observe(store::Store& store, const std::string& project, const Project* file) {
    return Observer(store, project, file).run();
}

namespace {

/// The supervisor is about to write down the end of those that have ended; it may have begun only now.
void wait_for_ends(store::Store& store, const std::string& project, const std::set<int>& zombies) {
    constexpr int kLooks = 200;
    constexpr std::chrono::milliseconds kPause{10};
    for (int i = 0; i < kLooks && !zombies.empty(); ++i) {
        const auto rows = store.containers_without_spec(project);
        const bool settled = std::none_of(rows.begin(), rows.end(), [&](const store::Container& row) {
            return runs(row.state) && zombies.contains(row.pid);
        });
        if (settled) return;
        (void)sys::poll({}, kPause);
    }
}

}  // namespace

void repair_liveness(store::Store& store, const std::string& project) {
    const Liveness liveness(store.layout(), project);
    std::vector<store::Container> gone;
    std::set<int> zombies;
    bool needed = false;
    for (store::Container& row : store.containers_without_spec(project)) {
        if (!runs(row.state)) continue;
        if (!liveness.supervised() && !liveness.abandoned(row)) {
            gone.push_back(std::move(row));
            continue;
        }
        needed = needed || !liveness.supervised();
        if (row.pid > 0 && sys::is_zombie(row.pid)) zombies.insert(row.pid);
    }
    if (needed) {
        log::debug("project {} runs without a supervisor: start one", project);
        (void)supervisor::Client::connect_or_spawn(store.layout(), project);  // it settles the others as well
    }
    wait_for_ends(store, project, zombies);
    if (needed || gone.empty()) return;
    constexpr int kLost = 255;  // what Docker shows for containers that a crash of the machine ended
    store.transaction([&] {
        for (store::Container& row : gone) {
            row.state = ContainerState::exited;
            row.health = store::Health::none;
            row.exit_code = kLost;
            row.finished_at = sys::wall_now().time_since_epoch().count();
            row.pid = 0;
            store.update_runtime(row);
            store.release_ports(row.id);
        }
    });
}

}  // namespace compose::engine
