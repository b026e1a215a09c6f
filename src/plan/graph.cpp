#include "plan/graph.hpp"

#include <algorithm>

#include "base/dag.hpp"

namespace compose {

std::vector<std::string> with_dependencies(const Project& project, const std::vector<std::string>& services) {
    std::set<std::string> out;
    std::vector<std::string> todo = services;
    if (todo.empty())
        for (const auto& [name, service] : project.services) todo.push_back(name);
    while (!todo.empty()) {
        const auto name = todo.back();
        todo.pop_back();
        const auto service = project.services.find(name);
        if (service == project.services.end() || !out.insert(name).second) continue;
        for (const auto& dependency : service->second.depends_on) todo.push_back(dependency.service);
    }
    return {out.begin(), out.end()};
}

}  // namespace compose

namespace compose::plan {

std::vector<std::string> dependency_order(const DependencyMap& services) {
    std::vector<std::string> names;
    std::map<std::string_view, std::size_t> index;
    for (const auto& [name, dependencies] : services) {
        index.emplace(name, names.size());
        names.push_back(name);
    }
    std::vector<std::vector<std::size_t>> edges(names.size());
    for (const auto& [name, dependencies] : services)
        for (const Dependency& dependency : dependencies)
            if (const auto found = index.find(dependency.service); found != index.end())
                edges[index[name]].push_back(found->second);
    const Ordering ordering = topological_order(edges);
    if (!ordering.cycle.empty()) return names;
    std::vector<std::string> result;
    result.reserve(names.size());
    for (const std::size_t i : ordering.order) result.push_back(names[i]);
    return result;
}

bool runs(const ObservedContainer& container) {
    return container.status == ObservedStatus::running || container.status == ObservedStatus::restarting ||
           container.status == ObservedStatus::paused;
}

std::set<std::string> with_dependencies(const DependencyMap& services, const std::set<std::string>& names) {
    std::set<std::string> result;
    std::vector<std::string> open(names.begin(), names.end());
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        const auto service = services.find(name);
        if (service == services.end() || !result.insert(name).second) continue;
        for (const Dependency& dependency : service->second) open.push_back(dependency.service);
    }
    return result;
}

DependencyMap dependencies_of(const std::vector<ObservedContainer>& containers) {
    DependencyMap result;
    for (const ObservedContainer& container : containers) {
        if (container.oneoff) continue;
        std::vector<Dependency>& known = result[container.service];
        for (const Dependency& dependency : container.depends_on) {
            const bool there = std::any_of(known.begin(), known.end(),
                                           [&](const Dependency& d) { return d.service == dependency.service; });
            if (!there && dependency.service != container.service) known.push_back(dependency);
        }
    }
    return result;
}

bool is_provider(const Project* project, const std::string& service) {
    if (project == nullptr) return false;
    const auto found = project->services.find(service);
    return found != project->services.end() && found->second.provider.has_value();
}

void add_providers(const Project& project, DependencyMap& services) {
    for (const auto& [name, service] : project.services) {
        if (service.provider) services[name] = service.depends_on;
        const auto known = services.find(name);
        if (service.provider || known == services.end()) continue;
        for (const Dependency& dependency : service.depends_on)
            if (is_provider(&project, dependency.service)) known->second.push_back(dependency);
    }
}

std::size_t PlanBuilder::add(Action action, std::string cause) {
    plan_.nodes.push_back({std::move(action), std::move(cause), {}});
    return plan_.nodes.size() - 1;
}

void PlanBuilder::after(std::size_t node, std::size_t before) {
    std::vector<std::size_t>& list = plan_.nodes[node].after;
    if (node != before && std::find(list.begin(), list.end(), before) == list.end()) list.push_back(before);
}

void PlanBuilder::note(Event::Status status, std::string id, std::string text) {
    plan_.notes.push_back({status, std::move(id), std::move(text), {}, 0, 0});
}

}  // namespace compose::plan
