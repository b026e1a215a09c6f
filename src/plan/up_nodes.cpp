// Decisions become nodes and edges.
//
//   replace beside the old one:  Create(tmp) -> Stop(old) -> Remove(old) -> Rename -> Start
//   with a way back:             Create(tmp) -> Stop(old) -> Start ... -> Remove(old) -> Rename, see up_update.cpp
//   replace in its place:        Stop(old) -> Remove(old) -> Create -> Start
//
// Edges between containers: a dependency's old container stops after its dependents' old ones; a dependent starts after
// its dependencies have started, or after the condition it names is met. Stops wait for creations, but for no start, so
// no cycle can close. Creating does not wait for all other creations: what could make one fail was checked before.
#include <algorithm>

#include "base/ids.hpp"
#include "model/host_ports.hpp"
#include "plan/port_table.hpp"
#include "plan/up_planner.hpp"

namespace compose::plan {

void UpPlanner::emit_orphans() {
    for (Replica& orphan : orphans_) {
        if (orphan.running())
            orphan.stop = builder_.add(StopContainer{orphan.old_ref(), options_.timeout, false}, "orphan");
        orphan.removed = builder_.add(RemoveContainer{orphan.old_ref()}, "orphan");
        if (orphan.stop) builder_.after(*orphan.removed, *orphan.stop);
        free_resources(orphan);
    }
}

/// What is made anew must be left by all its users before.
void UpPlanner::free_resources(const Replica& replica) {
    for (const auto& [network, removal] : network_removals_)
        if (replica.old->networks.contains(network)) builder_.after(removal, *replica.removed);
    for (const auto& [volume, removal] : volume_removals_)
        if (replica.old->volumes.contains(volume)) builder_.after(removal, *replica.removed);
}

/// A network is made anew when nobody on it runs any more.
void UpPlanner::leave_networks(const Replica& replica) {
    for (const auto& [network, removal] : network_removals_)
        if (replica.old->networks.contains(network)) builder_.after(removal, *replica.stop);
}

void UpPlanner::emit_service(const std::string& name) {
    const Service& service = project_.services.at(name);
    for (Replica& hook : hooks_)
        if (hook.old->service == name) {
            hook.removed = builder_.add(RemoveContainer{hook.old_ref(), true, false, false}, hook.cause);
            free_resources(hook);
        }
    for (Replica& replica : replicas_.at(name)) emit_replica(service, replica);
    for (const Replica& hook : hooks_)
        for (const Replica& replica : replicas_.at(name))
            if (hook.removed && hook.old->service == name && replica.start)
                builder_.after(*replica.start, *hook.removed);
    if (service.provider) emit_provider(service);
    if (service.deploy.update && options_.start) order_update(service);
}

void UpPlanner::emit_replica(const Service& service, Replica& replica) {
    using Fate = Replica::Fate;
    switch (replica.fate) {
        case Fate::keep:
            rename_left_over(service, replica);
            if (replica.running()) builder_.note(Event::Status::done, "Container " + replica.name, "Running");
            if (replica.rest) builder_.note(Event::Status::done, "Container " + replica.name, "Exited");
            break;
        case Fate::create:
        case Fate::replace:
            emit_creation(service, replica);
            break;
        case Fate::remove:
            emit_removal(replica, replicas_.at(service.name));
            break;
        case Fate::bounce:
            replica.stop = builder_.add(StopContainer{replica.old_ref(), options_.timeout, false}, replica.cause);
            replica.ready = replica.stop;
            leave_networks(replica);
            rename_left_over(service, replica);
            break;
    }
    if (options_.start && replica.starts() && !replica.start) emit_start(service, replica);
}

/// Its replacement was interrupted; who had the name before may still be there.
void UpPlanner::rename_left_over(const Service& service, Replica& replica) {
    if (!replica.rename) return;
    const std::vector<Replica>& all = replicas_.at(service.name);
    const auto before = std::find_if(all.begin(), all.end(), [&](const Replica& other) {
        return other.fate == Replica::Fate::remove && other.removed && other.old->name == replica.name;
    });
    const std::size_t renamed = builder_.add(
        RenameContainer{{replica.name, replica.old->id}, replica.old->name, before != all.end()}, kInterrupted);
    if (before != all.end()) builder_.after(renamed, *before->removed);
    if (replica.stop) builder_.after(renamed, *replica.stop);
    replica.ready = renamed;
}

void UpPlanner::emit_creation(const Service& service, Replica& replica) {
    CreateContainer create{service.name, replica.number, replica.name, {}, {}, {}};
    const ObservedContainer* old = replica.fate == Replica::Fate::replace ? replica.old : nullptr;
    const bool beside = old != nullptr && !replica.remove_first;
    const std::string temporary = beside ? std::string(short_id(old->id)) + "_" + replica.name : std::string();
    if (old != nullptr) {
        create.replaces = old->name;
        create.temporary_name = temporary;
        if (!options_.renew_anon_volumes) create.inherited_volumes = old->anonymous_volumes;
    }
    const auto add_create = [&] {
        replica.created = builder_.add(std::move(create), replica.cause);
        replica.ready = replica.created;
        for (const Network* network : networks_of(service))
            if (const auto node = network_nodes_.find(network->name); node != network_nodes_.end())
                builder_.after(*replica.created, node->second);
        for (const Volume* volume : volumes_of(service))
            if (const auto node = volume_nodes_.find(volume->name); node != volume_nodes_.end())
                builder_.after(*replica.created, node->second);
        if (!beside) return;
        // What an interrupted replacement has left bears the same temporary name.
        for (const Replica& left : replicas_.at(service.name))
            if (left.removed && left.old->name == temporary) builder_.after(*replica.created, *left.removed);
    };
    const auto add_removal = [&] {
        if (replica.running())
            replica.stop = builder_.add(StopContainer{replica.old_ref(), options_.timeout, true}, {});
        // Its anonymous volumes go with it unless the new one has them.
        replica.removed =
            builder_.add(RemoveContainer{replica.old_ref(), options_.renew_anon_volumes, true, false}, {});
        if (replica.stop) builder_.after(*replica.removed, *replica.stop);
        free_resources(replica);
    };
    if (old == nullptr) {
        add_create();
    } else if (beside) {
        add_create();
        const std::size_t gate = starts_first(service, replica) ? start_first(service, replica) : *replica.created;
        if (keeps_old(service, replica)) {
            stop_old(replica, gate);
            return;
        }
        add_removal();
        builder_.after(replica.stop.value_or(*replica.removed), gate);
        replica.ready = builder_.add(RenameContainer{{replica.name, {}}, temporary, true});
        builder_.after(*replica.ready, *replica.removed);
        replica.renamed = replica.ready;
    } else {
        add_removal();
        add_create();
        builder_.after(*replica.created, *replica.removed);
    }
}

void UpPlanner::emit_start(const Service& service, Replica& replica) {
    replica.start = builder_.add(StartContainer{replica.ref(), service.name},
                                 replica.fate == Replica::Fate::bounce ? replica.cause : std::string{});
    if (replica.ready) builder_.after(*replica.start, *replica.ready);
    if (replica.made()) return;  // its creation has waited for them
    for (const Network* network : networks_of(service))
        if (const auto node = network_nodes_.find(network->name); node != network_nodes_.end())
            builder_.after(*replica.start, node->second);
}

/// Who takes volumes over from another service, or shares a namespace with it, is made after that one's containers.
/// Where those must be gone before they are made anew, and with them whoever depends on them, the old ones' volumes are
/// inherited.
void UpPlanner::order_sources() {
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        std::vector<std::string> sources = namespace_sources(service);
        for (const std::string& from : service.volumes_from) sources.push_back(from.substr(0, from.find(':')));
        for (const std::string& source : sources) {
            if (source == name || !replicas_.contains(source)) continue;
            for (const Replica& needed : replicas_.at(source))
                for (const Replica& dependent : replicas_.at(name))
                    if (needed.created && dependent.created && (dependent.remove_first || !needed.remove_first))
                        builder_.after(*dependent.created, *needed.created);
        }
    }
}

void UpPlanner::order_stops() {
    for (const std::string& name : order_)
        for (const Dependency& dependency : dependencies_.at(name)) {
            if (!replicas_.contains(dependency.service)) continue;
            for (const Replica& needed : replicas_.at(dependency.service))
                for (const Replica& dependent : replicas_.at(name))
                    if (needed.stop && dependent.stop) builder_.after(*needed.stop, *dependent.stop);
        }
}

/// A host port may move from one container to another in one plan: its new holder starts when the old one is down.
void UpPlanner::order_port_takeovers() {
    if (observed_.ports.empty()) return;
    std::map<std::string, std::size_t> stops;  // container id -> node
    for (const auto& [name, replicas] : replicas_)
        for (const Replica& replica : replicas)
            if (replica.stop) stops.emplace(replica.old->id, *replica.stop);
    for (const Replica& orphan : orphans_)
        if (orphan.stop) stops.emplace(orphan.old->id, *orphan.stop);
    for (const auto& [name, replicas] : replicas_) {
        const Service& service = project_.services.at(name);
        const HostFamilies families = host_families(project_, service);
        for (const ObservedPort& held : observed_.ports) {
            const auto stop = stops.find(held.container_id);
            if (stop == stops.end()) continue;
            const bool wanted = std::any_of(service.ports.begin(), service.ports.end(), [&](const Port& written) {
                const Port port = on_host(written, families).value_or(written);
                return port.protocol == held.protocol && port.published_first <= held.host_port &&
                       held.host_port <= std::max(port.published_first, port.published_last) &&
                       addresses_overlap(port.host_ip, held.host_ip);
            });
            if (!wanted) continue;
            for (const Replica& replica : replicas)
                if (replica.start && !replica.takes_over && !(replica.old && replica.old->id == held.container_id))
                    builder_.after(*replica.start, stop->second);
        }
    }
}

std::size_t UpPlanner::wait_node(Replica& replica, const std::string& service, WaitContainer::Until until,
                                 bool required) {
    const auto key = std::make_tuple(replica.name, until, required);
    if (const auto found = waits_.find(key); found != waits_.end()) return found->second;
    const std::size_t node = builder_.add(WaitContainer{replica.ref(), service, until, required});
    if (replica.start) builder_.after(node, *replica.start);
    waits_.emplace(key, node);
    return node;
}

void UpPlanner::wait_for_dependencies(const Service& service) {
    std::vector<std::size_t> starts;
    for (const Replica& replica : replicas_.at(service.name))
        if (replica.start) starts.push_back(*replica.start);
    const auto provider = provider_nodes_.find(service.name);
    if (provider != provider_nodes_.end()) starts.push_back(provider->second);
    const bool any = provider != provider_nodes_.end() ||
                     std::any_of(replicas_.at(service.name).begin(), replicas_.at(service.name).end(),
                                 [](const Replica& r) { return r.stays(); });
    for (const Dependency& dependency : dependencies_.at(service.name)) {
        if (!any || !replicas_.contains(dependency.service)) continue;
        // --no-deps: what is named is started, whatever state the rest is in.
        if (options_.no_deps && !targeted(dependency.service)) continue;
        for (Replica& needed : replicas_.at(dependency.service)) {
            if (!needed.stays()) continue;
            std::optional<std::size_t> node = needed.start;
            if (dependency.condition != Condition::started) {
                const bool healthy = dependency.condition == Condition::healthy;
                const bool met =
                    !needed.start && healthy && needed.running() && needed.old->health == ObservedHealth::healthy;
                if (!met)
                    node = wait_node(needed, dependency.service,
                                     healthy ? WaitContainer::Until::healthy : WaitContainer::Until::completed,
                                     dependency.required);
            }
            for (const std::size_t start : starts) {
                if (node) builder_.after(start, *node);
                if (needed.checked) builder_.after(start, *needed.checked);
            }
        }
    }
}

void UpPlanner::wait_for_all() {
    for (const std::string& name : order_)
        for (Replica& replica : replicas_.at(name)) {
            if (!replica.stays()) continue;
            const bool job = project_.services.at(name).deploy.is_job();
            const bool met = !replica.start && !job && replica.old && replica.old->status == ObservedStatus::running &&
                             (!replica.old->has_healthcheck || replica.old->health == ObservedHealth::healthy);
            // A stronger wait for it, on behalf of a dependent, says all there is to say.
            const auto waited = [&](WaitContainer::Until until) {
                return waits_.contains(std::make_tuple(replica.name, until, true));
            };
            if (waited(WaitContainer::Until::healthy) || waited(WaitContainer::Until::completed)) continue;
            if (!met)
                wait_node(replica, name, job ? WaitContainer::Until::completed : WaitContainer::Until::ready, true);
        }
}

/// For a container that is made outside of this plan, and starts after it.
void UpPlanner::await_dependencies_of(const Service& service) {
    for (const ModelUse& use : service.models)
        if (!model_nodes_.contains(use.model) && !observed_.asked_models.contains(use.model))
            model_nodes_[use.model] = builder_.add(PrepareModel{use.model});
    for (const Dependency& dependency : service.depends_on) {
        if (dependency.condition == Condition::started || !replicas_.contains(dependency.service)) continue;
        const auto until = dependency.condition == Condition::healthy ? WaitContainer::Until::healthy
                                                                      : WaitContainer::Until::completed;
        for (Replica& needed : replicas_.at(dependency.service))
            if (needed.stays()) wait_node(needed, dependency.service, until, dependency.required);
    }
}

}  // namespace compose::plan
