// Which services, and what becomes of each of their containers.
#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "model/names.hpp"
#include "plan/up_planner.hpp"

namespace compose::plan {
namespace {

std::string container_name(const Project& project, const Service& service, int number) {
    if (!service.container_name.empty()) return service.container_name;
    return project.name + project.separator + service.name + project.separator + std::to_string(number);
}

}  // namespace

void UpPlanner::select() {
    for (const auto& [name, service] : project_.services) {
        std::vector<Dependency>& list = dependencies_[name];
        for (const Dependency& dependency : service.depends_on)
            if (project_.services.contains(dependency.service)) list.push_back(dependency);
    }
    for (const std::string& name : options_.services)
        if (!project_.services.contains(name)) throw make_error(ErrorKind::not_found, "no such service: {}", name);
    for (const auto& [name, count] : options_.scale)
        if (!project_.services.contains(name)) throw make_error(ErrorKind::not_found, "no such service: {}", name);

    std::set<std::string> names(options_.services.begin(), options_.services.end());
    if (names.empty())
        for (const auto& [name, service] : project_.services)
            if (name != options_.await_for) names.insert(name);
    selected_ = options_.no_deps ? names : with_dependencies(dependencies_, names);
}

bool UpPlanner::targeted(const std::string& service) const {
    return options_.services.empty() ||
           std::find(options_.services.begin(), options_.services.end(), service) != options_.services.end();
}

int UpPlanner::scale_of(const Service& service) {
    if (service.provider) return 0;
    const auto wanted = options_.scale.find(service.name);
    const int scale = wanted == options_.scale.end() ? service.scale : wanted->second;
    if (scale > 1 && !service.container_name.empty())
        finding(service.pos, "services." + service.name + ".container_name",
                "\"" + service.container_name + "\" can name only one container, but " + std::to_string(scale) +
                    " are wanted",
                "remove container_name to run more than one");
    return std::max(scale, 0);
}

/// The service of volumes_from that has others by now, or will have, than the container took over. What is mounted over
/// them does not count.
std::string UpPlanner::stale_source(const Service& service, const ObservedContainer& container) const {
    for (const std::string& from : service.volumes_from) {
        const auto source = replicas_.find(from.substr(0, from.find(':')));
        if (source == replicas_.end() || source->second.empty()) continue;
        const Replica& first = source->second.front();
        if (first.fate == Replica::Fate::replace) return source->first;
        if (first.old == nullptr) continue;
        for (const auto& [target, volume] : first.old->anonymous_volumes) {
            const bool covered =
                std::any_of(service.mounts.begin(), service.mounts.end(),
                            [&, &target = target](const Mount& mount) { return mount.target == target; });
            if (!covered && !container.volumes.contains(volume)) return source->first;
        }
    }
    return {};
}

/// The service that has another container by then than the one whose namespace it was made to share.
std::string UpPlanner::renewed_namespace(const Service& service) const {
    for (const std::string& source : namespace_sources(service))
        if (const Replica* owner = namespace_owner(source); owner != nullptr && owner->made()) return source;
    return {};
}

bool UpPlanner::mounts_other_images(const Service& service, const ObservedContainer& container) const {
    std::string ids;
    for (const Mount& mount : service.mounts) {
        if (mount.type != Mount::Type::image) continue;
        const auto image = observed_.images.find(mount.source);
        if (image == observed_.images.end()) return false;  // not here: the one that is mounted is as good
        ids += (ids.empty() ? "" : ",") + image->second.id;
    }
    return ids != container.mounted_images;
}

/// Empty when the container is what the file asks for, else in which way it is not.
std::string UpPlanner::difference(const Service& service, const ObservedContainer& container) const {
    if (!container.complete) return "its creation was interrupted";
    if (container.status == ObservedStatus::dead) return "dead";
    for (const Volume* volume : volumes_of(service))
        if (changed_volumes_.contains(volume->name) && container.volumes.contains(volume->name))
            return "volume " + volume->name + " changed";
    if (options_.no_recreate) return {};
    if (const auto source = stale_source(service, container); !source.empty())
        return "volumes of " + source + " changed";
    if (const auto source = renewed_namespace(service); !source.empty()) return "namespace of " + source + " replaced";
    const bool fresh = observed_.fresh.contains(container.id);
    if (options_.force_recreate && targeted(service.name) && !fresh) return "forced";
    if (options_.always_recreate_deps && !targeted(service.name) && !fresh) return "forced";
    const bool same = variables_come(service) ? base_hash(container.config_hash) == base_hash(service.config_hash)
                                              : container.config_hash == service.config_hash;
    if (!same) return "config changed";
    const auto image = observed_.images.find(service.image);
    if (image != observed_.images.end() && image->second.id != container.image_id) return "image changed";
    if (mounts_other_images(service, container)) return "image of a mount changed";
    for (const Network* network : networks_of(service))
        if (!container.networks.contains(network->name)) return "network " + network->name + " not attached";
    for (const Volume* volume : volumes_of(service))
        if (!container.volumes.contains(volume->name)) return "volume " + volume->name + " not mounted";
    return {};
}

/// By number: what an interrupted rolling update has left running beside the old one, when it is all that the file asks
/// for. It takes that one's place.
std::map<int, const ObservedContainer*> UpPlanner::heirs(const Service& service) const {
    std::map<int, const ObservedContainer*> result;
    for (const ObservedContainer& c : observed_.containers) {
        const bool well = c.status == ObservedStatus::running &&
                          (c.health == ObservedHealth::none || c.health == ObservedHealth::healthy);
        if (well && !c.oneoff && c.service == service.name &&
            is_temporary_name(c.name, container_name(project_, service, c.number)) && difference(service, c).empty())
            result.emplace(c.number, &c);
    }
    return result;
}

/// The containers that are there, by number: the ones as they should be first. Leftovers of an interrupted replacement
/// are renamed when the old one is gone already or they are better than it, else removed.
std::vector<Replica> UpPlanner::existing(const Service& service) {
    std::vector<Replica> result;
    std::set<int> named;
    const auto is_temporary = [&](const ObservedContainer& c) {
        return is_temporary_name(c.name, container_name(project_, service, c.number));
    };
    for (const ObservedContainer& c : observed_.containers)
        if (!c.oneoff && c.service == service.name && !is_temporary(c)) named.insert(c.number);
    const auto better = heirs(service);
    std::vector<Replica>& all = replicas_[service.name];
    for (const ObservedContainer& c : observed_.containers) {
        if (c.oneoff || c.service != service.name) continue;
        Replica replica;
        replica.old = &c;
        replica.number = c.number;
        replica.name = c.name;
        const auto heir = better.find(c.number);
        const bool is_heir = heir != better.end() && heir->second == &c;
        const bool gives_way = heir != better.end() && !is_heir;
        if (gives_way || (is_temporary(c) && !is_heir && (!c.complete || !named.insert(c.number).second))) {
            replica.fate = Replica::Fate::remove;
            replica.cause = kInterrupted;
            all.push_back(std::move(replica));
            continue;
        }
        if (is_temporary(c)) {
            replica.name = container_name(project_, service, c.number);
            replica.rename = true;
        }
        replica.cause = difference(service, c);
        result.push_back(std::move(replica));
    }
    std::stable_sort(result.begin(), result.end(), [](const Replica& a, const Replica& b) {
        if (a.cause.empty() != b.cause.empty()) return a.cause.empty();
        return a.number < b.number;
    });
    return result;
}

void UpPlanner::decide_service(const std::string& name) {
    const Service& service = project_.services.at(name);
    const auto scale = static_cast<std::size_t>(scale_of(service));
    std::vector<Replica> there = existing(service);
    std::vector<Replica>& all = replicas_[name];
    int last = 0;
    for (const Replica& replica : there) last = std::max(last, replica.number);
    const bool fixed_address =
        std::any_of(service.networks.begin(), service.networks.end(),
                    [](const NetworkAttachment& a) { return !a.ipv4_address.empty() || !a.ipv6_address.empty(); });
    // A new one that is made only when dependencies run can't be there before the old ones stop.
    const bool late = std::any_of(service.depends_on.begin(), service.depends_on.end(),
                                  [&](const Dependency& d) { return waits_for_containers(d.service); });
    // Nor can one that shares the namespace of a container which only then is made.
    const std::vector<std::string> sources = namespace_sources(service);
    for (std::size_t i = 0; i < there.size(); ++i) {
        Replica& replica = there[i];
        if (i >= scale) {
            replica.fate = Replica::Fate::remove;
            replica.cause = service.provider ? "provided by " + service.provider->type : "scaled down";
        } else if (!replica.cause.empty()) {
            replica.fate = Replica::Fate::replace;
            const std::vector<const Network*> networks = networks_of(service);
            // The new one can't be made beside the old one when they would share an address, or when a network must be
            // empty in between.
            const bool waits = std::any_of(sources.begin(), sources.end(), [&](const std::string& source) {
                const Replica* owner = namespace_owner(source);
                return owner != nullptr && owner->remove_first;
            });
            replica.remove_first = fixed_address || waits || replica.rename || !replica.old->complete || late ||
                                   std::any_of(networks.begin(), networks.end(),
                                               [&](const Network* n) { return changed_networks_.contains(n->name); }) ||
                                   std::any_of(replica.old->networks.begin(), replica.old->networks.end(),
                                               [&](const std::string& n) { return changed_networks_.contains(n); }) ||
                                   std::any_of(replica.old->volumes.begin(), replica.old->volumes.end(),
                                               [&](const std::string& n) { return changed_volumes_.contains(n); });
            const std::string wanted = container_name(project_, service, replica.number);
            if (replica.name != wanted) {  // container_name was added, changed or dropped
                replica.name = wanted;
                replica.remove_first = true;
            }
        }
        all.push_back(std::move(replica));
    }
    for (std::size_t i = there.size(); i < scale; ++i) {
        Replica replica;
        replica.fate = Replica::Fate::create;
        replica.number = ++last;
        replica.name = container_name(project_, service, replica.number);
        all.push_back(std::move(replica));
    }
    std::stable_sort(all.begin(), all.end(), [](const Replica& a, const Replica& b) { return a.number < b.number; });
}

/// A failed pre_start stays to be looked at, until its service starts again or has it no more.
void UpPlanner::leave_hook(const ObservedContainer& container, bool exited) {
    const auto replicas = replicas_.find(container.service);
    if (!exited || replicas == replicas_.end()) return;
    const bool starts = std::any_of(replicas->second.begin(), replicas->second.end(),
                                    [](const Replica& replica) { return replica.starts(); });
    if (!project_.services.at(container.service).pre_start.empty() && !(starts && options_.start)) return;
    Replica leftover;
    leftover.fate = Replica::Fate::remove;
    leftover.cause = "its hook failed before";
    leftover.old = &container;
    leftover.name = container.name;
    hooks_.push_back(std::move(leftover));
}

void UpPlanner::decide_orphans() {
    std::vector<std::string> names;
    for (const ObservedContainer& container : observed_.containers) {
        const bool exited = container.status == ObservedStatus::exited || container.status == ObservedStatus::dead;
        const bool known =
            project_.services.contains(container.service) || project_.disabled_services.contains(container.service);
        if (container.hook) {
            leave_hook(container, exited);
            continue;
        }
        if (container.oneoff ? !exited : known) continue;
        names.push_back(container.name);
        if (!options_.remove_orphans) continue;
        Replica replica;
        replica.fate = Replica::Fate::remove;
        replica.cause = "orphan";
        replica.old = &container;
        replica.number = container.number;
        replica.name = container.name;
        orphans_.push_back(std::move(replica));
    }
    if (names.empty() || options_.remove_orphans || options_.ignore_orphans) return;
    builder_.note(Event::Status::warning, "Warning",
                  "Found orphan containers ([" + join(names, " ") +
                      "]) for this project. If you removed or renamed this service in your compose file, you can run "
                      "this command with the --remove-orphans flag to clean it up.");
}

/// A container that ended well by itself, and that no restart policy would start again, has done what it was for. In
/// the foreground only those rest that others wait for, and jobs: whoever looks on wants to see the rest at work.
/// Servers end with 0 too, when they are asked to: who has ports or is watched has not completed anything, unless
/// somebody waits for just that.
void UpPlanner::let_completed_rest() {
    std::set<std::string> awaited;
    std::set<std::string> needed;
    for (const auto& [name, dependencies] : dependencies_)
        for (const Dependency& dependency : dependencies) {
            if (dependency.condition == Condition::completed) awaited.insert(dependency.service);
            if (dependency.condition == Condition::healthy) needed.insert(dependency.service);
        }
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        const RestartPolicy::Kind kind = service.restart.kind;
        if (kind == RestartPolicy::Kind::always || kind == RestartPolicy::Kind::unless_stopped) continue;
        const bool job = service.deploy.is_job();
        const bool serves = !service.ports.empty() || !service.expose.empty() || needed.contains(name);
        const bool again = options_.rerun || (options_.rerun_unawaited && !awaited.contains(name) && !job);
        for (Replica& replica : replicas_.at(name))
            replica.rest = replica.old != nullptr &&
                           (job || awaited.contains(name) || !(serves || replica.old->has_healthcheck)) &&
                           (!again || observed_.fresh.contains(replica.old->id)) &&
                           replica.fate == Replica::Fate::keep && !replica.rename &&
                           replica.old->status == ObservedStatus::exited && replica.old->exit_code == 0 &&
                           !replica.old->stopped_by_user;
    }
}

}  // namespace compose::plan
