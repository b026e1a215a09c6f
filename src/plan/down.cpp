// down: everything of a project goes, dependents before what they depend on, networks last.
#include <algorithm>
#include <compose/plan.hpp>

#include "base/error.hpp"
#include "plan/graph.hpp"

namespace compose {
namespace {

using plan::DependencyMap;
using plan::PlanBuilder;
using plan::runs;

bool in_file(const Project& project, const std::string& service) {
    return project.services.contains(service) || project.disabled_services.contains(service);
}

class DownPlanner {
public:
    DownPlanner(const Project* project, const ObservedState& observed, const DownOptions& options)
        : project_(project), observed_(observed), options_(options) {}

    Plan run() {
        DependencyMap services = plan::dependencies_of(observed_.containers);
        for (const ObservedContainer& container : observed_.containers)
            if (takes(container)) remove(container);
        if (project_ != nullptr) {
            plan::add_providers(*project_, services);
            for (const auto& [name, dependencies] : services)
                if (plan::is_provider(project_, name) && wanted(name)) end_provider(name);
        }
        order(services);
        if (options_.services.empty()) remove_networks();
        if (options_.volumes) remove_volumes();
        if (!found_)
            builder_.note(Event::Status::warning, "Project " + observed_.project,
                          "Warning: No resource found to remove for project \"" + observed_.project + "\".");
        return builder_.take();
    }

private:
    struct Removal {
        const ObservedContainer* container;  // null: of a provider, which ends in one step
        std::optional<std::size_t> stop;
        std::size_t remove;
        [[nodiscard]] std::size_t first() const { return stop.value_or(remove); }
    };

    bool wanted(const std::string& service) const {
        return options_.services.empty() ||
               std::find(options_.services.begin(), options_.services.end(), service) != options_.services.end();
    }

    bool takes(const ObservedContainer& container) const {
        if (!options_.services.empty()) return !container.oneoff && wanted(container.service);
        // Without a file there is no telling what an orphan would be.
        const bool orphan = container.oneoff || (project_ != nullptr && !in_file(*project_, container.service));
        return !orphan || options_.remove_orphans || project_ == nullptr;
    }

    void remove(const ObservedContainer& container) {
        found_ = true;
        Removal removal{&container, std::nullopt, 0};
        const ContainerRef ref{container.name, container.id};
        const bool kill = runs(container) && options_.timeout == Nanoseconds(0);
        if (runs(container) && !kill) removal.stop = builder_.add(StopContainer{ref, options_.timeout, false});
        removal.remove = builder_.add(RemoveContainer{ref, options_.volumes, false, kill});
        if (removal.stop) builder_.after(removal.remove, *removal.stop);
        removals_.push_back(removal);
    }

    void end_provider(const std::string& service) {
        found_ = true;
        ends_[service] = {nullptr, std::nullopt, builder_.add(EndProvider{service, EndProvider::Verb::down})};
    }

    void order(const DependencyMap& services) {
        std::map<std::string, std::vector<const Removal*>> by_service;
        for (const Removal& removal : removals_) by_service[removal.container->service].push_back(&removal);
        for (const auto& [service, end] : ends_) by_service[service].push_back(&end);
        const std::vector<std::string> sorted = plan::dependency_order(services);
        std::map<std::string, std::size_t> rank;
        for (std::size_t i = 0; i < sorted.size(); ++i) rank[sorted[i]] = i;
        for (const auto& [service, dependencies] : services)
            for (const Dependency& dependency : dependencies) {
                // In a cycle (labels may say anything) the ranks decide, so that the plan stays a graph without one.
                if (!rank.contains(dependency.service) || rank[dependency.service] >= rank[service]) continue;
                for (const Removal* needed : by_service[dependency.service])
                    for (const Removal* dependent : by_service[service])
                        builder_.after(needed->first(),
                                       needed->container == nullptr ? dependent->remove : dependent->first());
            }
    }

    void remove_networks() {
        for (const auto& [name, network] : observed_.networks) {
            if (network.project != observed_.project || is_external(name)) continue;
            found_ = true;
            const std::size_t node = builder_.add(RemoveNetwork{name, network.id});
            for (const Removal& removal : removals_)
                if (removal.container->networks.contains(name)) builder_.after(node, removal.remove);
        }
    }

    void remove_volumes() {
        for (const auto& [name, volume] : observed_.volumes) {
            if (volume.project != observed_.project || !(volume.anonymous || declared(name))) continue;
            // An anonymous one goes with its container; those that nobody uses are what a killed command left.
            if (volume.anonymous && !volume.users.empty()) continue;
            if (!options_.services.empty() && !only_used_by_removed(volume)) continue;
            found_ = true;
            const std::size_t node = builder_.add(RemoveVolume{name});
            for (const Removal& removal : removals_)
                if (removal.container->volumes.contains(name)) builder_.after(node, removal.remove);
        }
    }

    /// Is it declared external in the file (and happens to have been made by this project once)?
    bool is_external(const std::string& name) const {
        return project_ != nullptr &&
               std::any_of(project_->networks.begin(), project_->networks.end(),
                           [&](auto& entry) { return entry.second.external && entry.second.name == name; });
    }

    /// Only what the file names as the project's own is data that may go; without a file all of it.
    bool declared(const std::string& name) const {
        return project_ == nullptr || std::any_of(project_->volumes.begin(), project_->volumes.end(), [&](auto& entry) {
                   return !entry.second.external && entry.second.name == name;
               });
    }

    bool only_used_by_removed(const ObservedVolume& volume) const {
        return !volume.users.empty() &&
               std::all_of(volume.users.begin(), volume.users.end(), [&](const std::string& user) {
                   return std::any_of(removals_.begin(), removals_.end(),
                                      [&](const Removal& removal) { return removal.container->name == user; });
               });
    }

    const Project* project_;
    const ObservedState& observed_;
    const DownOptions& options_;
    PlanBuilder builder_;
    std::vector<Removal> removals_;
    std::map<std::string, Removal> ends_;  // of providers, by service
    bool found_ = false;
};

}  // namespace

Plan plan_down(const Project* project, const ObservedState& observed, const DownOptions& options) {
    if (project != nullptr)
        for (const std::string& service : options.services) {
            const bool known = in_file(*project, service) ||
                               std::any_of(observed.containers.begin(), observed.containers.end(),
                                           [&](const ObservedContainer& c) { return c.service == service; });
            if (!known) throw make_error(ErrorKind::not_found, "no such service: {}", service);
        }
    return DownPlanner(project, observed, options).run();
}

}  // namespace compose
