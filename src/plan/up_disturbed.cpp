// Who stops for a while though nothing is wrong with it: what is on a network that is made anew, what shares a
// namespace that ends, and who asks for it by depends_on with `restart: true`. Its containers stay what they are.
#include <algorithm>

#include "base/strings.hpp"
#include "plan/up_planner.hpp"

namespace compose::plan {
namespace {

Replica guest_of(const ObservedContainer& container, std::string cause) {
    Replica guest;
    guest.fate = Replica::Fate::bounce;
    guest.cause = std::move(cause);
    guest.number = container.number;
    guest.name = container.name;
    guest.old = &container;
    return guest;
}

}  // namespace

std::vector<std::string> namespace_sources(const Service& service) {
    constexpr std::string_view kService = "service:";
    std::vector<std::string> result;
    for (const std::string* mode : {&service.network_mode, &service.pid, &service.ipc})
        if (mode->starts_with(kService)) result.push_back(mode->substr(kService.size()));
    return result;
}

void UpPlanner::disturb() {
    clear_networks();
    invite_users_of_networks();
    bounce_dependents();
    if (options_.start) invite_users_of_namespaces();
}

std::string UpPlanner::changed_network_of(const ObservedContainer& container) const {
    const auto on = std::find_if(changed_networks_.begin(), changed_networks_.end(),
                                 [&](const std::string& name) { return container.networks.contains(name); });
    return on == changed_networks_.end() ? std::string{} : *on;
}

void UpPlanner::clear_networks() {
    for (auto& [name, replicas] : replicas_)
        for (Replica& replica : replicas) {
            if (replica.fate != Replica::Fate::keep || !replica.running()) continue;
            const std::string network = changed_network_of(*replica.old);
            if (network.empty()) continue;
            replica.fate = Replica::Fate::bounce;
            replica.cause = "network " + network + " changed";
        }
}

/// Is it said elsewhere what becomes of it?
bool UpPlanner::is_decided(const ObservedContainer& container) const {
    const auto is_it = [&](const Replica& replica) { return replica.old == &container; };
    return (!container.oneoff && replicas_.contains(container.service)) ||
           std::any_of(orphans_.begin(), orphans_.end(), is_it) || std::any_of(guests_.begin(), guests_.end(), is_it);
}

/// Containers that nobody asked for, on a network that is made anew. Those that don't run only get their new place.
void UpPlanner::invite_users_of_networks() {
    for (const ObservedContainer& container : observed_.containers) {
        const std::string network = changed_network_of(container);
        if (network.empty() || is_decided(container)) continue;
        Replica guest = guest_of(container, "network " + network + " changed");
        if (!guest.running()) continue;
        if (container.oneoff) {
            kind_ = ErrorKind::conflict;
            finding({}, {},
                    "network " + network + " changed and must be made anew, but the one-off container " +
                        container.name + " uses it",
                    "wait until it has ended, or remove it: compose container rm -f " + container.name);
            continue;
        }
        guests_.push_back(std::move(guest));
    }
}

std::vector<const Replica*> UpPlanner::replicas_of(const std::string& service) const {
    std::vector<const Replica*> result;
    if (const auto found = replicas_.find(service); found != replicas_.end())
        for (const Replica& replica : found->second) result.push_back(&replica);
    for (const Replica& guest : guests_)
        if (guest.old->service == service) result.push_back(&guest);
    return result;
}

/// Whose namespaces are meant by "service:X": the first one's that stays.
const Replica* UpPlanner::namespace_owner(const std::string& service) const {
    const std::vector<const Replica*> all = replicas_of(service);
    const auto first = std::find_if(all.begin(), all.end(), [](const Replica* replica) { return replica->stays(); });
    return first == all.end() ? nullptr : *first;
}

/// The service whose namespace, which it shares, is another one after the plan.
std::string UpPlanner::ended_namespace(const Service& service) const {
    for (const std::string& source : namespace_sources(service)) {
        const Replica* owner = namespace_owner(source);
        if (owner == nullptr) continue;
        if (owner->fate == Replica::Fate::bounce || (options_.start && owner->starts())) return source;
    }
    return {};
}

/// Why the containers of a service that are fine must stop for a while; empty: they need not.
std::string UpPlanner::disturbance(const std::string& name) const {
    if (const auto source = ended_namespace(project_.services.at(name)); !source.empty())
        return "namespace of " + source + " renewed";
    for (const Dependency& dependency : dependencies_.at(name)) {
        if (!dependency.restart) continue;
        for (const Replica* needed : replicas_of(dependency.service)) {
            if (needed->fate == Replica::Fate::bounce) return "dependency " + dependency.service + " restarted";
            if (!options_.start) continue;  // it goes on until what replaces the dependency starts
            // One that was made, and has never run, took the place of another in a plan that did not start it.
            const bool fresh = needed->fate == Replica::Fate::keep && needed->starts() &&
                               needed->old->status == ObservedStatus::created;
            if (needed->fate == Replica::Fate::replace || fresh)
                return "dependency " + dependency.service + " replaced";
        }
    }
    return {};
}

/// In the order of dependencies: who stops makes its own dependents stop.
void UpPlanner::bounce_dependents() {
    for (const std::string& name : order_) {
        const std::string cause = disturbance(name);
        if (cause.empty()) continue;
        for (Replica& replica : replicas_.at(name))
            if (replica.fate == Replica::Fate::keep && replica.running()) {
                replica.fate = Replica::Fate::bounce;
                replica.cause = cause;
            }
    }
}

/// Containers that nobody asked for would go on in a namespace that has nobody else in it.
void UpPlanner::invite_users_of_namespaces() {
    for (std::size_t before = guests_.size() + 1;
         before != guests_.size();) {  // ends: each round invites or is the last
        before = guests_.size();
        for (const ObservedContainer& container : observed_.containers) {
            const auto service = project_.services.find(container.service);
            if (service == project_.services.end() || container.oneoff || is_decided(container)) continue;
            const std::string source = ended_namespace(service->second);
            Replica guest = guest_of(container, "namespace of " + source + " renewed");
            if (!source.empty() && guest.running()) guests_.push_back(std::move(guest));
        }
    }
}

/// They start again in the same plan, whatever becomes of the rest: it was not them who were to be only made.
void UpPlanner::emit_guests() {
    for (Replica& guest : guests_) {
        guest.stop = builder_.add(StopContainer{guest.old_ref(), options_.timeout, false}, guest.cause);
        leave_networks(guest);
        guest.start = builder_.add(StartContainer{guest.ref(), guest.old->service}, guest.cause);
        builder_.after(*guest.start, *guest.stop);
        for (const auto& [network, node] : network_nodes_)
            if (guest.old->networks.contains(network)) builder_.after(*guest.start, node);
    }
}

/// Who joins a namespace looks for its owner by name, which a replacement may get long after its start.
void UpPlanner::order_joins() {
    for (const std::string& name : order_)
        for (const std::string& source : namespace_sources(project_.services.at(name))) {
            const Replica* owner = namespace_owner(source);
            if (owner == nullptr || !owner->renamed) continue;
            for (const Replica& replica : replicas_.at(name))
                if (replica.start) builder_.after(*replica.start, *owner->renamed);
        }
}

void UpPlanner::order_guests() {
    const auto order = [&](const Replica& dependent, const Replica& needed) {
        if (dependent.stop && needed.stop) builder_.after(*needed.stop, *dependent.stop);
        if (dependent.start && needed.start) builder_.after(*dependent.start, *needed.start);
    };
    for (const Replica& guest : guests_) {
        if (const auto own = dependencies_.find(guest.old->service); own != dependencies_.end())
            for (const Dependency& dependency : own->second)
                for (const Replica* needed : replicas_of(dependency.service)) order(guest, *needed);
        for (const std::string& name : order_)
            for (const Dependency& dependency : dependencies_.at(name))
                if (dependency.service == guest.old->service)
                    for (const Replica& dependent : replicas_.at(name)) order(dependent, guest);
    }
}

}  // namespace compose::plan
