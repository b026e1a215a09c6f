// deploy.update_config: so many containers at a time, each batch only when the one before is well.
//
// Where a failure is to be rolled back, the old containers only stop, and go when all new ones are well: until then
// there is a way back (rollback.cpp).
//
// start-first:  Create(tmp) -> Start -> Wait(ready) -> TakePorts -> Stop(old) -> Remove(old) -> Rename
// Started beside the old one, the new one has no port of the host's until the old one hands them over.
#include <algorithm>
#include <cmath>

#include "base/ids.hpp"
#include "base/ipv6.hpp"
#include "model/host_ports.hpp"
#include "plan/port_table.hpp"
#include "plan/up_planner.hpp"

namespace compose::plan {

void UpPlanner::order_update(const Service& service) {
    const Deploy::Update& update = *service.deploy.update;
    std::vector<Replica*> replaced;
    for (Replica& replica : replicas_.at(service.name))
        if (replica.fate == Replica::Fate::replace) replaced.push_back(&replica);
    const bool required = update.failure_action != "continue";
    std::vector<std::size_t> ready;
    for (Replica* replica : replaced) {
        ready.push_back(wait_node(*replica, service.name, WaitContainer::Until::ready, required));
        auto& wait = std::get<WaitContainer>(builder_.action(ready.back()));
        wait.monitor = update.monitor;
        wait.tolerated = tolerated_failures(update, replaced.size());
    }
    order_batches(service, replaced, ready);
    for (Replica* replica : replaced)
        if (keeps_old(service, *replica)) remove_old(*replica, ready);
}

void UpPlanner::order_batches(const Service& service, const std::vector<Replica*>& replaced,
                              const std::vector<std::size_t>& ready) {
    const Deploy::Update& update = *service.deploy.update;
    const auto batch = static_cast<std::size_t>(std::max(update.parallelism, 0));
    if (batch == 0) return;
    std::optional<std::size_t> delay;
    for (std::size_t i = batch; i < replaced.size(); ++i) {
        if (i % batch == 0 && update.delay.count() > 0) delay = builder_.add(Delay{service.name, update.delay});
        const std::size_t begin = i - i % batch;
        const std::size_t first =
            replaced[i]->remove_first ? replaced[i]->stop.value_or(*replaced[i]->removed) : *replaced[i]->created;
        const std::size_t gate = delay.value_or(first);
        for (std::size_t before = begin - batch; before < begin; ++before) {
            builder_.after(gate, ready[before]);
            // The old one is gone as well, not only the new one there.
            builder_.after(gate, replaced[before]->ready.value_or(ready[before]));
        }
        builder_.after(first, gate);
    }
}

bool UpPlanner::holds_ports(const ObservedContainer& container) const {
    return std::any_of(observed_.ports.begin(), observed_.ports.end(),
                       [&](const ObservedPort& port) { return port.container_id == container.id; });
}

/// The first of the service's host ports that can't pass from the old container to the new one: neither has the old
/// one just that, nor is it free. Empty when there is none.
std::string UpPlanner::port_in_the_way(const Service& service, const Replica& replica) const {
    const HostFamilies families = host_families(project_, service);
    std::set<const ObservedPort*> passing;
    for (const Port& wish : service.ports) {
        const auto port = on_host(wish, families);
        if (!port || port->published_first == 0) continue;
        const auto within = [&](const ObservedPort& held) {
            return held.protocol == port->protocol && port->published_first <= held.host_port &&
                   held.host_port <= std::max(port->published_first, port->published_last);
        };
        const auto own = std::find_if(observed_.ports.begin(), observed_.ports.end(), [&](const ObservedPort& held) {
            return held.container_id == replica.old->id && within(held) && !passing.contains(&held) &&
                   canonical_address(held.host_ip) == canonical_address(port->host_ip);
        });
        if (own != observed_.ports.end()) {
            passing.insert(&*own);
            continue;
        }
        const bool taken = std::any_of(observed_.ports.begin(), observed_.ports.end(), [&](const ObservedPort& held) {
            return within(held) && addresses_overlap(held.host_ip, port->host_ip);
        });
        if (taken) return describe(*port);
    }
    return {};
}

/// The new one runs before the old one stops, where they can be there at the same time.
bool UpPlanner::starts_first(const Service& service, Replica& replica) {
    if (!options_.start || !service.deploy.update || service.deploy.update->order != "start-first") return false;
    if (!replica.running()) return true;
    if (const std::string port = port_in_the_way(service, replica); !port.empty()) {
        builder_.note(Event::Status::warning, "Container " + replica.name,
                      "Stops first: host port " + port + " passes from another container, or changes its address");
        return false;
    }
    replica.takes_over = true;
    return true;
}

std::size_t UpPlanner::start_first(const Service& service, Replica& replica) {
    const bool required = service.deploy.update->failure_action != "continue";
    emit_start(service, replica);
    const std::size_t ready = wait_node(replica, service.name, WaitContainer::Until::ready, required);
    if (!replica.takes_over || !holds_ports(*replica.old)) return ready;
    return emit_port_move(replica.ref(), *replica.old, required, ready);
}

std::size_t UpPlanner::emit_port_move(const ContainerRef& to, const ObservedContainer& from, bool required,
                                      std::optional<std::size_t> after) {
    const std::size_t node = builder_.add(TakePorts{to, {from.name, from.id}, required});
    if (after) builder_.after(node, *after);
    return node;
}

/// What is too much; among it what an interrupted replacement has left. Where another container of the same place
/// stays, that one gets its host ports first.
void UpPlanner::emit_removal(Replica& replica, std::vector<Replica>& beside) {
    const auto heir = std::find_if(beside.begin(), beside.end(), [&](const Replica& other) {
        return &other != &replica && other.number == replica.number && other.fate == Replica::Fate::keep &&
               other.running();
    });
    const bool replaced = heir != beside.end() && heir->rename;
    if (replica.running())
        replica.stop = builder_.add(StopContainer{replica.old_ref(), options_.timeout, replaced}, replica.cause);
    if (replica.stop && options_.start && heir != beside.end() && holds_ports(*replica.old))
        builder_.after(*replica.stop, emit_port_move(heir->ref(), *replica.old, false, std::nullopt));
    replica.removed = builder_.add(RemoveContainer{replica.old_ref(), false, replaced, false}, replica.cause);
    if (replica.stop) builder_.after(*replica.removed, *replica.stop);
    free_resources(replica);
}

bool UpPlanner::keeps_old(const Service& service, const Replica& replica) const {
    return options_.start && service.deploy.update && service.deploy.update->failure_action == "rollback" &&
           replica.old != nullptr && !replica.remove_first;
}

void UpPlanner::stop_old(Replica& replica, std::size_t gate) {
    if (replica.running()) {
        replica.stop = builder_.add(StopContainer{replica.old_ref(), options_.timeout, true}, {});
        builder_.after(*replica.stop, gate);
    }
    replica.ready = replica.stop.value_or(gate);
}

void UpPlanner::remove_old(Replica& replica, const std::vector<std::size_t>& ready) {
    // Its anonymous volumes go with it unless the new one has them.
    replica.removed = builder_.add(RemoveContainer{replica.old_ref(), options_.renew_anon_volumes, true, false}, {});
    for (const std::size_t node : ready) builder_.after(*replica.removed, node);
    if (replica.stop) builder_.after(*replica.removed, *replica.stop);
    free_resources(replica);
    const auto temporary = std::string(short_id(replica.old->id)) + "_" + replica.name;
    const std::size_t renamed = builder_.add(RenameContainer{{replica.name, {}}, temporary, true});
    builder_.after(renamed, *replica.removed);
    replica.renamed = renamed;
}

std::size_t tolerated_failures(const Deploy::Update& update, std::size_t containers) {
    const double ratio = std::clamp(update.max_failure_ratio, 0.0, 1.0);
    return static_cast<std::size_t>(std::floor(ratio * static_cast<double>(containers) + 1e-9));
}

}  // namespace compose::plan
