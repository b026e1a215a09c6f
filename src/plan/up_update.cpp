// deploy.update_config: so many containers at a time, each batch only when the one before is well.
//
// Where a failure is to be rolled back, the old containers only stop, and go when all new ones are well: until then
// there is a way back (rollback.cpp).
#include <algorithm>
#include <cmath>

#include "base/ids.hpp"
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

/// The new one runs before the old one stops, where they don't need the same host port.
bool UpPlanner::starts_first(const Service& service) const {
    if (!options_.start || !service.deploy.update || service.deploy.update->order != "start-first") return false;
    return std::none_of(service.ports.begin(), service.ports.end(),
                        [](const Port& port) { return port.published_first != 0; });
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
