#include "engine/preflight.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/file_grants.hpp"
#include "engine/network_options.hpp"
#include "engine/record_builder.hpp"
#include "engine/spec_builder.hpp"
#include "model/host_ports.hpp"
#include "model/stacked_networks.hpp"
#include "net/parent.hpp"
#include "runtime/capabilities.hpp"
#include "sys/file.hpp"
#include "sys/host.hpp"
#include "sys/port_socket.hpp"
#include "sys/process.hpp"

namespace compose::engine {
namespace {

void check_binds(const Service& service, std::vector<Diagnostic>& findings) {
    for (std::size_t i = 0; i < service.mounts.size(); ++i) {
        const Mount& mount = service.mounts[i];
        if (!mount.selinux.empty() && sys::has_selinux() && sys::exists(mount.source)) {
            try {
                check_relabel(mount.source);
            } catch (const Error& error) {
                findings.push_back({Severity::error, mount.pos.known() ? mount.pos : service.pos,
                                    "services." + service.name + ".volumes[" + std::to_string(i) + "]", error.what(),
                                    error.hint()});
            }
        }
        if (mount.type != Mount::Type::bind || mount.create_host_path || sys::exists(mount.source)) continue;
        findings.push_back({Severity::error, mount.pos.known() ? mount.pos : service.pos,
                            "services." + service.name + ".volumes[" + std::to_string(i) + "]",
                            "bind source path does not exist: " + mount.source,
                            "create it, or set `bind: {create_host_path: true}`"});
    }
}

void check_options(const Service& service, std::vector<Diagnostic>& findings) {
    const auto attempt = [&](SourcePos pos, const char* key, const auto& read) {
        try {
            read();
        } catch (const Error& error) {
            findings.push_back({Severity::error, pos.known() ? pos : service.pos,
                                "services." + service.name + (*key == '\0' ? "" : ".") + key, error.what(),
                                error.hint()});
        }
    };
    const bool logging = service.logging.has_value();
    attempt(logging ? service.logging->pos : SourcePos{}, logging ? "logging" : "",
            [&] { (void)container_options(service); });
    attempt({}, "", [&] { (void)net_probe(service); });
}

void check_stop_signal(const Service& service, std::vector<Diagnostic>& findings) {
    if (service.stop_signal.empty() || sys::signal_number(service.stop_signal)) return;
    findings.push_back({Severity::error, service.pos, "services." + service.name + ".stop_signal",
                        "\"" + service.stop_signal + "\" is no signal", "for example SIGTERM or SIGINT"});
}

void check_security(const Service& service, std::vector<Diagnostic>& findings) {
    for (const std::string& text : service.security_opt) {
        const auto [key, value] = parse_security_option(text);
        const auto refuse = [&](const std::string& what, const std::string& hint) {
            findings.push_back(
                {Severity::error, service.security_pos, "services." + service.name + ".security_opt", what, hint});
        };
        if (key == "apparmor" && value != "unconfined" && !sys::has_apparmor())
            refuse("this kernel has no AppArmor, or it is off: no profile can be used",
                   "leave it out, or turn AppArmor on (kernel parameter apparmor=1)");
        if (key != "label" || value == "disable" || !sys::has_selinux()) continue;
        const auto contexts = read_selinux_contexts();
        if (!contexts) {
            refuse("the SELinux policy of this host knows no containers",
                   "install the package container-selinux, or use label=disable");
            continue;
        }
        try {
            (void)selinux_labels(*contexts, {value}, "");
        } catch (const Error& error) {
            refuse(error.what(), error.hint());
        }
    }
}

void check_memory(const Service& service, std::vector<Diagnostic>& findings) {
    const std::int64_t swap = service.limits.memswap_limit.value_or(0);
    if (swap <= 0) return;
    const std::int64_t memory = service.mem_limit.value_or(0);
    if (memory > 0 && swap >= memory) return;
    findings.push_back({Severity::error, service.pos, "services." + service.name + ".memswap_limit",
                        memory > 0 ? "it is less than the memory limit" : "it takes a memory limit too",
                        "memory and swap together may be that much: set mem_limit to the part that is memory"});
}

/// Their names; whether the engine has them itself is seen at the start.
void check_capabilities(const Service& service, std::vector<Diagnostic>& findings) {
    try {
        (void)runtime::container_capabilities(service.cap_add, service.cap_drop, ~runtime::CapabilitySet{0});
    } catch (const Error& error) {
        findings.push_back({Severity::error, service.pos, "services." + service.name, error.what(), error.hint()});
    }
}

void check_network(const Network& network, std::vector<Diagnostic>& findings) {
    std::map<std::string, std::string> options;
    try {
        options = network_options(network);
    } catch (const Error& error) {
        findings.push_back({Severity::error, network.pos, "networks." + network.key, error.what(), error.hint()});
        return;
    }
    if (!is_stacked_driver(network.driver)) return;
    try {
        (void)net::check_parent(network.driver, options["parent"]);
    } catch (const Error& error) {
        const bool named = !options["parent"].empty();
        findings.push_back({Severity::error, named ? network.driver_opts_pos : network.pos,
                            "networks." + network.key + (named ? ".driver_opts" : ""), error.what(), error.hint()});
    }
}

void check_macs(const Project& project, const Service& service, std::vector<Diagnostic>& findings) {
    for (const NetworkAttachment& attachment : service.networks) {
        const auto network = project.networks.find(attachment.network);
        if (network == project.networks.end() || network->second.driver != "ipvlan" || attachment.mac_address.empty())
            continue;
        findings.push_back({Severity::error, attachment.pos.known() ? attachment.pos : service.pos,
                            "services." + service.name + ".networks." + attachment.network,
                            "interfaces of an ipvlan have their parent's MAC address", "leave mac_address out"});
    }
}

void check_service_ports(const Service& service, HostFamilies families, const std::vector<ObservedPort>& ours,
                         std::vector<Diagnostic>& findings) {
    for (std::size_t i = 0; i < service.ports.size(); ++i) {
        const auto taken = on_host(service.ports[i], families);
        if (!taken) continue;
        const Port& port = *taken;
        const std::uint16_t number = port.published_first;
        if (number == 0 || port.published_last > number) continue;  // any of them will do
        const bool own = std::any_of(ours.begin(), ours.end(), [&](const ObservedPort& held) {
            return held.protocol == port.protocol && held.host_port == number;
        });
        if (own) continue;
        const auto refuse = [&](const std::string& what, const std::string& hint) {
            findings.push_back({Severity::error, port.pos.known() ? port.pos : service.pos,
                                "services." + service.name + ".ports[" + std::to_string(i) + "]", what, hint});
        };
        try {
            if (sys::reserve_port(port.protocol, port.host_ip, number)) continue;
        } catch (const Error& error) {
            refuse(error.what(), error.hint());
            continue;
        }
        const auto holder = sys::find_port_holder(port.protocol, port.host_ip, number);
        refuse(fmt::format("port {}{}/{} is already in use by {}", address_prefix(port.host_ip), number, port.protocol,
                           holder ? fmt::format("{} (pid {})", holder->command, holder->pid) : "another process"),
               "stop that process, or publish another port");
    }
}

}  // namespace

void check_creations(const Project& project, const Plan& plan, const store::Store& store) {
    std::vector<Diagnostic> findings;
    std::set<std::string> services;
    ErrorKind kind = ErrorKind::invalid;
    for (const Plan::Node& node : plan.nodes) {
        if (const auto* network = std::get_if<CreateNetwork>(&node.action))
            check_network(project.networks.at(network->key), findings);
        if (const auto* network = std::get_if<RecreateNetwork>(&node.action))
            check_network(project.networks.at(network->key), findings);
        const auto* create = std::get_if<CreateContainer>(&node.action);
        if (create == nullptr) continue;
        services.insert(create->service);
        const auto holder = store.container_by_name(create->name);
        if (!holder || holder->project == project.name) continue;
        kind = ErrorKind::conflict;
        findings.push_back(
            {Severity::error, project.services.at(create->service).pos, "services." + create->service,
             "container name \"" + create->name + "\" is already in use by project \"" + holder->project + "\"",
             "choose another project name (-p), or remove that container"});
    }
    for (const std::string& name : services) {
        const Service& service = project.services.at(name);
        for (Diagnostic& finding : unsupported(service)) findings.push_back(std::move(finding));
        for (Diagnostic& finding : check_grants(project, service)) findings.push_back(std::move(finding));
        check_options(service, findings);
        check_binds(service, findings);
        check_stop_signal(service, findings);
        check_security(service, findings);
        check_memory(service, findings);
        check_capabilities(service, findings);
        check_macs(project, service, findings);
    }
    if (!findings.empty()) throw ProjectError(std::move(findings), kind);
}

void check_host_ports(const Project& project, const Plan& plan, const ObservedState& observed) {
    std::vector<Diagnostic> findings;
    std::set<std::string> services;
    for (const Plan::Node& node : plan.nodes)
        if (const auto* start = std::get_if<StartContainer>(&node.action)) services.insert(start->service);
    for (const std::string& name : services)
        if (const auto service = project.services.find(name);
            service != project.services.end() && service->second.network_mode.empty())
            check_service_ports(service->second, host_families(project, service->second), observed.ports, findings);
    if (!findings.empty()) throw ProjectError(std::move(findings), ErrorKind::conflict);
}

}  // namespace compose::engine
