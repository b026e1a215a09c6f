// What programs of the host give: providers and models are asked in their place in the dependency order, and the
// containers that get their variables are made after that. Whether one that is there already is as it should be is
// known only then: CheckVariables looks.
//
//   RunProvider p -> Create(web) -> Start(web)
//   RunProvider p -> CheckVariables(web) [-> Start(web)]
#include <algorithm>

#include "plan/up_planner.hpp"

namespace compose::plan {

/// Is there something among its variables that nobody knows yet?
bool UpPlanner::variables_come(const Service& service) const {
    const auto provided = [&](const Dependency& dependency) {
        const auto found = project_.services.find(dependency.service);
        return found != project_.services.end() && found->second.provider &&
               !observed_.asked_providers.contains(dependency.service);
    };
    const auto open = [&](const ModelUse& use) { return !observed_.asked_models.contains(use.model); };
    return std::any_of(service.depends_on.begin(), service.depends_on.end(), provided) ||
           std::any_of(service.models.begin(), service.models.end(), open);
}

/// Is it a provider that is asked only when containers run?
bool UpPlanner::waits_for_containers(const std::string& provided) const {
    std::set<std::string> seen;
    std::vector<std::string> open{provided};
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        const auto found = project_.services.find(name);
        if (found == project_.services.end() || !seen.insert(name).second) continue;
        if (!found->second.provider) {
            if (name != provided) return true;
            continue;
        }
        for (const Dependency& dependency : dependencies_.at(name)) open.push_back(dependency.service);
    }
    return false;
}

void UpPlanner::emit_provider(const Service& service) {
    if (observed_.asked_providers.contains(service.name)) return;
    bool needed = false, required = false;
    for (const std::string& name : order_)
        for (const Dependency& dependency : dependencies_.at(name)) {
            if (dependency.service != service.name) continue;
            needed = true;
            required = required || dependency.required;
        }
    const std::size_t node = builder_.add(RunProvider{service.name, required || !needed});
    provider_nodes_.emplace(service.name, node);
    for (const Dependency& dependency : dependencies_.at(service.name))
        if (const auto before = provider_nodes_.find(dependency.service); before != provider_nodes_.end())
            builder_.after(node, before->second);
}

void UpPlanner::order_provided() {
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        std::vector<std::size_t> sources;
        for (const Dependency& dependency : dependencies_.at(name))
            if (const auto node = provider_nodes_.find(dependency.service); node != provider_nodes_.end())
                sources.push_back(node->second);
        for (const ModelUse& use : service.models) {
            if (observed_.asked_models.contains(use.model)) continue;
            if (!model_nodes_.contains(use.model)) model_nodes_[use.model] = builder_.add(PrepareModel{use.model});
            sources.push_back(model_nodes_[use.model]);
        }
        if (!sources.empty() && !service.provider) order_provided(service, sources);
    }
}

void UpPlanner::order_provided(const Service& service, const std::vector<std::size_t>& sources) {
    for (Replica& replica : replicas_.at(service.name)) {
        if (!replica.stays()) continue;
        std::optional<std::size_t> first = replica.created;
        if (!replica.made()) {
            if (options_.no_recreate) {
                first = replica.start;
            } else {
                first = replica.checked = builder_.add(CheckVariables{replica.ref(), service.name});
                if (replica.start) builder_.after(*replica.start, *replica.checked);
            }
        }
        if (!first) continue;
        for (const std::size_t source : sources) builder_.after(*first, source);
    }
}

}  // namespace compose::plan
