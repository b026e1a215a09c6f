// Who depends on whom among services, by name; and a plan while it grows.
#pragma once

#include <compose/plan.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace compose::plan {

/// service -> its dependencies. Dependencies on services that are not in the map are ignored.
using DependencyMap = std::map<std::string, std::vector<Dependency>>;

/// Every service after all that it depends on; by name where that leaves a choice. Services of a cycle come last, by
/// name: the loader refuses cycles, but labels of containers may say anything.
[[nodiscard]] std::vector<std::string> dependency_order(const DependencyMap& services);
/// `names` and all that they depend on, directly or not.
[[nodiscard]] std::set<std::string> with_dependencies(const DependencyMap& services,
                                                      const std::set<std::string>& names);
/// What the containers' labels say; a service's containers may differ, then all their dependencies count.
[[nodiscard]] DependencyMap dependencies_of(const std::vector<ObservedContainer>& containers);

/// Adds the file's providers, with what they depend on and what depends on them.
void add_providers(const Project& project, DependencyMap& services);
[[nodiscard]] bool is_provider(const Project* project, const std::string& service);

/// Running, paused or about to be started again: something that stop has to end.
[[nodiscard]] bool runs(const ObservedContainer& container);

/// Adds nodes and edges; both ends of an edge must exist.
class PlanBuilder {
public:
    std::size_t add(Action action, std::string cause = {});
    /// `node` waits for `before`; once is enough.
    void after(std::size_t node, std::size_t before);
    [[nodiscard]] Action& action(std::size_t node) { return plan_.nodes[node].action; }
    void note(Event::Status status, std::string id, std::string text);
    [[nodiscard]] Plan take() { return std::move(plan_); }

private:
    Plan plan_;
};

}  // namespace compose::plan
