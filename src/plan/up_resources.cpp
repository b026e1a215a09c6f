// Networks and volumes of the selected services: missing, changed, somebody else's.
#include <algorithm>
#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "plan/up_planner.hpp"

namespace compose::plan {

namespace {

bool only_labels_differ(const std::string& before, const std::string& after) {
    if (before.empty() || after.empty()) return false;
    const auto without_labels = [](const std::string& definition) {
        json::value value = parse_json(definition);
        if (value.is_object()) value.get_object().erase("labels");
        return value;
    };
    return without_labels(before) == without_labels(after);
}

}  // namespace

std::vector<const Network*> UpPlanner::networks_of(const Service& service) const {
    std::vector<const Network*> result;
    if (!service.network_mode.empty()) return result;
    for (const NetworkAttachment& attachment : service.networks)
        if (const auto found = project_.networks.find(attachment.network); found != project_.networks.end())
            result.push_back(&found->second);
    return result;
}

std::vector<const Volume*> UpPlanner::volumes_of(const Service& service) const {
    std::vector<const Volume*> result;
    for (const Mount& mount : service.mounts) {
        if (mount.type != Mount::Type::volume || mount.source.empty()) continue;
        if (const auto found = project_.volumes.find(mount.source); found != project_.volumes.end())
            result.push_back(&found->second);
    }
    return result;
}

void UpPlanner::decide_networks() {
    std::set<const Network*> used;
    for (const std::string& name : selected_)
        for (const Network* network : networks_of(project_.services.at(name))) used.insert(network);
    for (const auto& [key, network] : project_.networks) {
        if (!used.contains(&network) && !options_.all_resources) continue;
        const auto found = observed_.networks.find(network.name);
        if (found == observed_.networks.end()) {
            if (network.external) {
                kind_ = ErrorKind::not_found;
                finding(network.pos, "networks." + key,
                        "network " + network.name + " declared as external, but could not be found");
            }
            continue;
        }
        const ObservedNetwork& there = found->second;
        if (network.external) continue;
        if (there.project != project_.name) {
            builder_.note(Event::Status::warning, "Network " + network.name,
                          "a network with name " + network.name + " exists but was not created for project \"" +
                              project_.name + "\". Set `external: true` to use an existing network");
            continue;
        }
        if (there.config_hash == network.config_hash || options_.no_recreate) continue;
        if (only_labels_differ(there.definition, network.definition)) {
            relabelled_networks_.insert(network.name);
            continue;
        }
        if (!there.foreign.empty()) {
            kind_ = ErrorKind::conflict;
            finding(network.pos, "networks." + key,
                    "the network changed and must be made anew, but container " + there.foreign.front() +
                        " of another project uses it");
            continue;
        }
        changed_networks_.insert(network.name);
    }
}

void UpPlanner::decide_volumes() {
    std::set<const Volume*> used;
    for (const std::string& name : selected_)
        for (const Volume* volume : volumes_of(project_.services.at(name))) used.insert(volume);
    for (const auto& [key, volume] : project_.volumes) {
        if (!used.contains(&volume) && !options_.all_resources) continue;
        const auto found = observed_.volumes.find(volume.name);
        if (found == observed_.volumes.end()) {
            if (volume.external) {
                kind_ = ErrorKind::not_found;
                finding(volume.pos, "volumes." + key, "external volume \"" + volume.name + "\" not found");
            }
            continue;
        }
        if (volume.external) continue;
        if (found->second.project != project_.name)
            builder_.note(
                Event::Status::warning, "Volume " + volume.name,
                "volume \"" + volume.name + "\" already exists but was " +
                    (found->second.project == kStandaloneProject ? "made by hand"
                                                                 : "created for project \"" + found->second.project +
                                                                       "\" (expected \"" + project_.name + "\")") +
                    ". Use `external: true` to use an existing volume");
        else if (found->second.config_hash != volume.config_hash && !options_.no_recreate &&
                 options_.recreate_volumes.contains(volume.name))
            changed_volumes_.insert(volume.name);
        else if (found->second.config_hash != volume.config_hash)
            builder_.note(Event::Status::warning, "Volume " + volume.name,
                          "the definition of volume \"" + volume.name +
                              "\" changed; the existing volume is kept. To make it anew, remove it first (its data "
                              "will be lost)");
    }
}

/// Every container that mounts a volume that is made anew must go before: their services join the selection.
/// Containers of other projects may use it too.
void UpPlanner::select_users_of_changed_volumes() {
    for (const std::string& volume : changed_volumes_)
        for (const std::string& user : observed_.volumes.at(volume).users) {
            const auto own = std::find_if(observed_.containers.begin(), observed_.containers.end(),
                                          [&](const ObservedContainer& c) { return c.name == user; });
            const bool there = own != observed_.containers.end();
            if (there && !own->oneoff && project_.services.contains(own->service)) {
                selected_.insert(own->service);
            } else if (!there || !options_.remove_orphans) {
                kind_ = ErrorKind::conflict;
                finding({}, {}, "volume " + volume + " can't be made anew: container " + user + " uses it",
                        there ? "remove it with --remove-orphans" : "remove that container, or keep the volume");
            }
        }
}

void UpPlanner::emit_resources() {
    std::set<std::string> networks, volumes;  // names, used by a service that stays
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        for (const Network* network : networks_of(service)) networks.insert(network->name);
        for (const Volume* volume : volumes_of(service)) volumes.insert(volume->name);
    }
    for (const auto& [key, network] : project_.networks) {
        if (!networks.contains(network.name) && !options_.all_resources) continue;
        const auto there = observed_.networks.find(network.name);
        if (there == observed_.networks.end()) {
            network_nodes_[network.name] = builder_.add(CreateNetwork{key, network.name});
        } else if (changed_networks_.contains(network.name)) {
            const std::size_t node =
                builder_.add(RecreateNetwork{key, network.name, there->second.id}, "config changed");
            network_removals_[network.name] = network_nodes_[network.name] = node;
        } else if (!there->second.ready) {
            network_nodes_[network.name] = builder_.add(CreateNetwork{key, network.name}, "its bridge is missing");
        }
        if (relabelled_networks_.contains(network.name))
            builder_.add(UpdateNetwork{key, network.name, there->second.id}, "labels changed");
    }
    for (const auto& [key, volume] : project_.volumes) {
        if (!volumes.contains(volume.name) && !options_.all_resources) continue;
        const bool anew = changed_volumes_.contains(volume.name);
        if (!anew && observed_.volumes.contains(volume.name)) continue;
        if (anew) volume_removals_[volume.name] = builder_.add(RemoveVolume{volume.name}, "config changed");
        volume_nodes_[volume.name] = builder_.add(CreateVolume{key, volume.name});
        if (anew) builder_.after(volume_nodes_[volume.name], volume_removals_[volume.name]);
    }
}

}  // namespace compose::plan
