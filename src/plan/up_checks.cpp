// What would make the plan fail half-way is found before anything is done.
#include <algorithm>

#include "base/ipv6.hpp"
#include "model/host_ports.hpp"
#include "plan/port_table.hpp"
#include "plan/up_planner.hpp"

namespace compose::plan {

void UpPlanner::finding(SourcePos pos, std::string path, std::string message, std::string hint) {
    findings_.push_back({Severity::error, pos, std::move(path), std::move(message), std::move(hint)});
}

void UpPlanner::check_images() {
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        const std::vector<Replica>& replicas = replicas_.at(name);
        if (std::none_of(replicas.begin(), replicas.end(), [](const Replica& r) { return r.made(); })) continue;
        const auto image = observed_.images.find(service.image);
        const std::string path = "services." + name + ".image";
        if (observed_.expected_images.contains(service.image)) continue;
        if (image == observed_.images.end()) {
            kind_ = ErrorKind::not_found;
            finding(
                service.image_pos, path, "image \"" + service.image + "\" is not here, and fetching it was ruled out",
                "pull it with \"compose pull\", or import it with \"compose image import FILE " + service.image + "\"");
            continue;
        }
        const bool entrypoint = service.entrypoint ? !service.entrypoint->empty() : image->second.has_entrypoint;
        const bool command =
            service.command ? !service.command->empty() : !service.entrypoint && image->second.has_command;
        if (!entrypoint && !command)
            finding(service.pos, "services." + name, "no command specified", "write `command:`");
    }
}

void UpPlanner::check_health_conditions() {
    if (!options_.start) return;
    for (const std::string& name : order_)
        for (const Dependency& dependency : dependencies_.at(name)) {
            if (dependency.condition != Condition::healthy || !replicas_.contains(dependency.service)) continue;
            const Service& needed = project_.services.at(dependency.service);
            if (needed.provider) continue;
            const bool disabled = needed.healthcheck && needed.healthcheck->disabled;
            const bool own =
                (needed.healthcheck && !needed.healthcheck->test.empty()) || needed.extensions.contains("x-probe");
            const auto image = observed_.images.find(needed.image);
            const bool inherited = image != observed_.images.end() && image->second.has_healthcheck;
            if (!own && !disabled && observed_.expected_images.contains(needed.image)) continue;
            if (disabled || (!own && !inherited))
                finding(dependency.pos, "services." + name + ".depends_on." + dependency.service,
                        "service \"" + dependency.service + "\" has no healthcheck configured",
                        "add `healthcheck:` to it, or wait for service_started");
        }
}

void UpPlanner::check_names() {
    std::map<std::string, std::string> users;
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        for (const Replica& replica : replicas_.at(name)) {
            if (!replica.made()) continue;
            const auto [first, fresh] = users.emplace(replica.name, name);
            std::string holder;
            if (!fresh) holder = "by service \"" + first->second + "\"";
            if (const auto found = observed_.foreign_names.find(replica.name); found != observed_.foreign_names.end())
                holder = "by project \"" + found->second + "\"";
            if (holder.empty()) continue;
            kind_ = ErrorKind::conflict;
            finding(service.pos, "services." + name + ".container_name",
                    "container name \"" + replica.name + "\" is already in use " + holder);
        }
    }
}

void UpPlanner::check_addresses() {
    std::map<std::pair<std::string, std::string>, std::string> holders;  // network and address -> container
    const auto take = [&](const NetworkAttachment& attachment, const std::string& service, const std::string& address,
                          const Replica& replica) {
        if (address.empty()) return;
        const auto [first, fresh] =
            holders.emplace(std::pair(attachment.network, canonical_address(address)), replica.name);
        if (fresh) return;
        kind_ = ErrorKind::conflict;
        finding(attachment.pos, "services." + service + ".networks." + attachment.network,
                "address " + address + " for container " + replica.name + " is taken by container " + first->second,
                "choose another address, or leave it out");
    };
    for (const std::string& name : order_)
        for (const NetworkAttachment& attachment : project_.services.at(name).networks)
            for (const Replica& replica : replicas_.at(name)) {
                if (!replica.stays()) continue;
                take(attachment, name, attachment.ipv4_address, replica);
                take(attachment, name, attachment.ipv6_address, replica);
            }
}

void UpPlanner::check_ports() {
    if (!options_.start) return;
    std::set<std::string> freed;  // ids of containers that the plan stops
    const auto collect = [&](const std::vector<Replica>& replicas) {
        for (const Replica& replica : replicas)
            if (replica.old && (!replica.stays() || replica.starts())) freed.insert(replica.old->id);
    };
    for (const auto& [name, replicas] : replicas_) collect(replicas);
    collect(orphans_);
    PortTable table;
    for (const ObservedPort& port : observed_.ports)
        if (!freed.contains(port.container_id))
            table.take(port.protocol, port.host_ip, port.host_port,
                       "container " + port.container +
                           (port.project == project_.name ? "" : " of project \"" + port.project + "\""));
    for (const std::string& name : order_) {
        const Service& service = project_.services.at(name);
        const HostFamilies families = host_families(project_, service);
        for (const Replica& replica : replicas_.at(name)) {
            if (!replica.starts()) continue;
            for (std::size_t i = 0; i < service.ports.size(); ++i) {
                const auto port = on_host(service.ports[i], families);
                if (!port || port->published_first == 0) continue;
                const std::string holder = table.take_one_of(*port, "container " + replica.name);
                if (holder.empty()) continue;
                kind_ = ErrorKind::conflict;
                finding(port->pos, "services." + name + ".ports[" + std::to_string(i) + "]",
                        "host port " + describe(*port) + " for container " + replica.name + " is taken by " + holder,
                        "choose another host port, or stop what holds it");
            }
        }
    }
}

}  // namespace compose::plan
