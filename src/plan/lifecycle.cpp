// start, stop and restart: planners over existing containers; what they know of dependencies stands in the labels.
#include <algorithm>
#include <compose/plan.hpp>
#include <tuple>

#include "base/error.hpp"
#include "plan/graph.hpp"

namespace compose {
namespace {

using plan::DependencyMap;
using plan::PlanBuilder;
using plan::runs;

std::vector<const ObservedContainer*> replicas(const ObservedState& observed, const std::string& service) {
    std::vector<const ObservedContainer*> result;
    for (const ObservedContainer& container : observed.containers)
        if (!container.oneoff && container.service == service) result.push_back(&container);
    std::sort(result.begin(), result.end(), [](const auto* a, const auto* b) { return a->number < b->number; });
    return result;
}

std::set<std::string> named_services(const DependencyMap& known, const ObservedState& observed,
                                     const std::vector<std::string>& services) {
    std::set<std::string> result(services.begin(), services.end());
    if (services.empty())
        for (const auto& [name, dependencies] : known) result.insert(name);
    if (known.empty())
        throw make_error(ErrorKind::not_found, "no container found for project \"{}\"", observed.project);
    for (const std::string& name : services)
        if (!known.contains(name))
            throw make_error(ErrorKind::not_found, "service \"{}\" has no container", name)
                .with_hint("create it with \"compose up\"");
    return result;
}

bool satisfied(const ObservedContainer& container, Condition condition) {
    switch (condition) {
        case Condition::started:
            return runs(container);
        case Condition::healthy:
            return runs(container) && container.health == ObservedHealth::healthy;
        case Condition::completed:
            return container.status == ObservedStatus::exited && container.exit_code == 0;
    }
    return false;
}

/// Nodes that make containers run, in dependency order, each after its dependencies' conditions.
class Starter {
public:
    Starter(const ObservedState& observed, PlanBuilder& builder) : observed_(observed), builder_(builder) {}

    /// `act` adds the node that makes one container run, or says that there is nothing to do.
    template <class Act>
    void run(const std::string& service, const std::vector<Dependency>& dependencies, Act act) {
        for (const ObservedContainer* container : replicas(observed_, service)) {
            const std::optional<std::size_t> node = act(*container);
            if (!node) continue;
            running_[container->id] = *node;
            for (const Dependency& dependency : dependencies) wait_for(dependency, *node);
        }
    }

    void await(const ObservedContainer& container) {
        const std::size_t node = builder_.add(
            WaitContainer{{container.name, container.id}, container.service, WaitContainer::Until::ready, true});
        if (const auto started = running_.find(container.id); started != running_.end())
            builder_.after(node, started->second);
    }

private:
    void wait_for(const Dependency& dependency, std::size_t node) {
        for (const ObservedContainer* needed : replicas(observed_, dependency.service)) {
            const auto started = running_.find(needed->id);
            if (started == running_.end() && satisfied(*needed, dependency.condition)) continue;
            if (dependency.condition == Condition::started) {
                if (started != running_.end()) builder_.after(node, started->second);
                continue;
            }
            builder_.after(node, wait_node(*needed, dependency));
        }
    }

    std::size_t wait_node(const ObservedContainer& container, const Dependency& dependency) {
        const auto condition = dependency.condition;
        const auto key = std::make_tuple(container.id, condition, dependency.required);
        if (const auto found = waits_.find(key); found != waits_.end()) return found->second;
        const auto until =
            condition == Condition::healthy ? WaitContainer::Until::healthy : WaitContainer::Until::completed;
        const std::size_t node =
            builder_.add(WaitContainer{{container.name, container.id}, container.service, until, dependency.required});
        if (const auto started = running_.find(container.id); started != running_.end())
            builder_.after(node, started->second);
        waits_.emplace(key, node);
        return node;
    }

    const ObservedState& observed_;
    PlanBuilder& builder_;
    std::map<std::string, std::size_t> running_;  // container id -> the node that makes it run
    std::map<std::tuple<std::string, Condition, bool>, std::size_t> waits_;  // by container, condition, required
};

/// The label says of all dependencies that they are required.
void note_optional(const Project& project, DependencyMap& known) {
    for (auto& [name, dependencies] : known) {
        const auto service = project.services.find(name);
        if (service == project.services.end()) continue;
        for (Dependency& dependency : dependencies)
            for (const Dependency& written : service->second.depends_on)
                if (written.service == dependency.service) dependency.required = written.required;
    }
}

}  // namespace

Plan plan_start(const ObservedState& observed, const std::vector<std::string>& services, bool wait,
                const Project* project) {
    DependencyMap known = plan::dependencies_of(observed.containers);
    if (project != nullptr) note_optional(*project, known);
    const std::set<std::string> wanted = plan::with_dependencies(known, named_services(known, observed, services));
    PlanBuilder builder;
    Starter starter(observed, builder);
    for (const std::string& service : plan::dependency_order(known)) {
        if (!wanted.contains(service)) continue;
        starter.run(service, known.at(service), [&](const ObservedContainer& c) -> std::optional<std::size_t> {
            if (runs(c)) return std::nullopt;
            return builder.add(StartContainer{{c.name, c.id}, service});
        });
        if (wait)
            for (const ObservedContainer* c : replicas(observed, service)) starter.await(*c);
    }
    return builder.take();
}

Plan plan_stop(const ObservedState& observed, const std::vector<std::string>& services,
               std::optional<Nanoseconds> timeout, const Project* project) {
    DependencyMap known = plan::dependencies_of(observed.containers);
    if (project != nullptr) plan::add_providers(*project, known);
    PlanBuilder builder;
    if (known.empty()) return builder.take();
    const std::set<std::string> wanted = named_services(known, observed, services);
    std::map<std::string, std::vector<std::size_t>> stops;
    std::map<std::string, std::size_t> rank;
    std::vector<std::string> order = plan::dependency_order(known);
    std::reverse(order.begin(), order.end());
    for (const std::string& service : order) {
        rank.emplace(service, rank.size());
        if (!wanted.contains(service)) continue;
        if (plan::is_provider(project, service))
            stops[service].push_back(builder.add(EndProvider{service, EndProvider::Verb::stop}));
        for (const ObservedContainer* container : replicas(observed, service))
            if (runs(*container))
                stops[service].push_back(builder.add(StopContainer{{container->name, container->id}, timeout, false}));
    }
    for (const auto& [service, dependencies] : known)
        for (const Dependency& dependency : dependencies) {
            // In a cycle (labels may say anything) the ranks decide.
            if (!rank.contains(dependency.service) || rank[dependency.service] <= rank[service]) continue;
            for (const std::size_t needed : stops[dependency.service])
                for (const std::size_t dependent : stops[service]) builder.after(needed, dependent);
        }
    return builder.take();
}

Plan plan_restart(const ObservedState& observed, const std::vector<std::string>& services,
                  std::optional<Nanoseconds> timeout, bool no_deps) {
    const DependencyMap known = plan::dependencies_of(observed.containers);
    std::set<std::string> wanted = named_services(known, observed, services);
    const std::vector<std::string> order = plan::dependency_order(known);
    if (!no_deps)  // in this order a dependent comes after what pulls it in
        for (const std::string& service : order)
            for (const Dependency& dependency : known.at(service))
                if (dependency.restart && wanted.contains(dependency.service)) wanted.insert(service);
    PlanBuilder builder;
    Starter starter(observed, builder);
    for (const std::string& service : order) {
        if (!wanted.contains(service)) continue;
        const std::vector<Dependency> dependencies = no_deps ? std::vector<Dependency>{} : known.at(service);
        std::vector<Dependency> restarted;
        for (Dependency dependency : dependencies) {
            if (!wanted.contains(dependency.service)) continue;
            // What does not hang on the other's restart keeps the order, and waits for nothing more.
            if (!dependency.restart) dependency.condition = Condition::started;
            restarted.push_back(std::move(dependency));
        }
        starter.run(service, restarted, [&](const ObservedContainer& c) -> std::optional<std::size_t> {
            return builder.add(RestartContainer{{c.name, c.id}, timeout});
        });
    }
    return builder.take();
}

}  // namespace compose
