// The way back from a rolling update that failed: out with the new containers, the old ones run again.
#include <algorithm>

#include "plan/graph.hpp"
#include "plan/up_planner.hpp"

namespace compose {
namespace plan {
namespace {

bool runs(const ObservedContainer& container) {
    return container.status == ObservedStatus::running || container.status == ObservedStatus::restarting ||
           container.status == ObservedStatus::paused;
}

/// One container and the one that it replaced.
struct Pair {
    const CreateContainer* made;
    const ObservedContainer* fresh;
    const ObservedContainer* old;
    bool stopped = false;     // by the plan
    bool gave_ports = false;  // as the plan had it: they can be given back the same way
};

class Rollback {
public:
    Rollback(const Project& project, const Plan& failed, const ObservedState& observed)
        : project_(project), failed_(failed), observed_(observed) {}

    Plan run() {
        std::map<std::string, std::vector<Pair>> services;
        for (const Plan::Node& node : failed_.nodes)
            if (const auto* create = std::get_if<CreateContainer>(&node.action))
                if (const auto pair = pair_of(*create)) services[create->service].push_back(*pair);
        for (const auto& [name, pairs] : services) emit(project_.services.at(name), pairs);
        return builder_.take();
    }

private:
    [[nodiscard]] std::optional<Pair> pair_of(const CreateContainer& create) const {
        if (create.temporary_name.empty()) return std::nullopt;
        const auto& update = project_.services.at(create.service).deploy.update;
        if (!update || update->failure_action != "rollback") return std::nullopt;
        const auto* fresh = find(create.temporary_name);
        const auto* old = find(create.replaces);
        if (fresh == nullptr || old == nullptr) return std::nullopt;  // never made, or replaced for good
        const bool stopped = std::any_of(failed_.nodes.begin(), failed_.nodes.end(), [&](const Plan::Node& node) {
            const auto* stop = std::get_if<StopContainer>(&node.action);
            return stop != nullptr && stop->container.id == old->id;
        });
        const bool gave_ports = std::any_of(failed_.nodes.begin(), failed_.nodes.end(), [&](const Plan::Node& node) {
            const auto* take = std::get_if<TakePorts>(&node.action);
            return take != nullptr && take->from.id == old->id;
        });
        return Pair{&create, fresh, old, stopped, gave_ports};
    }

    [[nodiscard]] bool holds_ports(const ObservedContainer& container) const {
        return std::any_of(observed_.ports.begin(), observed_.ports.end(),
                           [&](const ObservedPort& port) { return port.container_id == container.id; });
    }

    [[nodiscard]] const ObservedContainer* find(const std::string& name) const {
        const auto found = std::find_if(observed_.containers.begin(), observed_.containers.end(),
                                        [&](const ObservedContainer& c) { return c.name == name; });
        return found == observed_.containers.end() ? nullptr : &*found;
    }

    void emit(const Service& service, const std::vector<Pair>& pairs) {
        Deploy::Update how = service.deploy.rollback.value_or(Deploy::Update{});
        // The way back interrupts nothing where the way there did not.
        if (!service.deploy.rollback) how.order = service.deploy.update->order;
        const auto batch = how.parallelism > 0 ? static_cast<std::size_t>(how.parallelism) : pairs.size();
        std::vector<std::size_t> ends, gates;  // of this batch, of the one before
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            if (i > 0 && i % batch == 0) {
                gates = std::exchange(ends, {});
                if (how.delay.count() > 0) {
                    const std::size_t delay = builder_.add(Delay{service.name, how.delay});
                    for (const std::size_t gate : gates) builder_.after(delay, gate);
                    gates = {delay};
                }
            }
            for (const std::size_t end : swap(service, pairs[i], how, pairs.size(), gates)) ends.push_back(end);
        }
    }

    /// The nodes that end it.
    std::vector<std::size_t> swap(const Service& service, const Pair& pair, const Deploy::Update& how,
                                  std::size_t count, const std::vector<std::size_t>& gates) {
        builder_.note(Event::Status::warning, "Container " + pair.made->name, "Rolling back");
        const ContainerRef fresh{pair.fresh->name, pair.fresh->id}, old{pair.old->name, pair.old->id};
        const std::size_t removed = builder_.add(RemoveContainer{fresh}, "rolled back");
        std::size_t first = removed;
        if (runs(*pair.fresh)) {
            first = builder_.add(StopContainer{fresh, {}, false}, "rolled back");
            builder_.after(removed, first);
        }
        const bool ports_back = runs(*pair.fresh) && holds_ports(*pair.fresh);
        const auto give_back = [&](std::size_t before) {
            if (!ports_back) return before;
            const std::size_t node = builder_.add(TakePorts{old, fresh});
            if (before != first) builder_.after(node, before);
            return node;
        };
        if (!pair.stopped || runs(*pair.old)) {
            const std::size_t begin = give_back(first);
            builder_.after(first, begin);
            for (const std::size_t gate : gates) builder_.after(begin, gate);
            return {removed};
        }
        const std::size_t start = builder_.add(StartContainer{old, service.name}, "rolled back");
        WaitContainer wait{old, service.name, WaitContainer::Until::ready, how.failure_action != "continue"};
        wait.monitor = how.monitor;
        wait.tolerated = tolerated_failures(how, count);
        const std::size_t ready = builder_.add(std::move(wait));
        builder_.after(ready, start);
        const bool shares_port = std::any_of(service.ports.begin(), service.ports.end(),
                                             [](const Port& port) { return port.published_first != 0; });
        const bool start_first = how.order == "start-first" && (!shares_port || pair.gave_ports);
        if (start_first)
            builder_.after(first, give_back(ready));
        else
            builder_.after(start, removed);
        for (const std::size_t gate : gates) builder_.after(start_first ? start : first, gate);
        return {removed, ready};
    }

    const Project& project_;
    const Plan& failed_;
    const ObservedState& observed_;
    PlanBuilder builder_;
};

}  // namespace
}  // namespace plan

Plan plan_rollback(const Project& project, const Plan& failed, const ObservedState& observed) {
    return plan::Rollback(project, failed, observed).run();
}

}  // namespace compose
