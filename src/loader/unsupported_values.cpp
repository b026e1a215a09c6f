// What can be judged only of the bound project: values that are not there, and ones that have no effect.
#include <compose/config.hpp>

#include "base/strings.hpp"
#include "loader/stages.hpp"
#include "model/host_ports.hpp"
#include "model/stacked_networks.hpp"

namespace compose {
namespace {

// A value that a variable should give is needed only when containers run.
void check_granted(const std::string& path, const std::vector<FileGrant>& grants,
                   const std::map<std::string, FileObject>& objects, const char* what, Diagnostics& findings) {
    for (std::size_t i = 0; i < grants.size(); ++i) {
        const auto found = objects.find(grants[i].source);
        if (found == objects.end() || found->second.environment.empty() || found->second.content) continue;
        findings.error(grants[i].pos, fmt::format("{}[{}]", path, i),
                       fmt::format("the environment variable {} is not set: {} {} takes its value from it",
                                   found->second.environment, what, quote(grants[i].source)),
                       fmt::format("set {} in the environment or in .env", found->second.environment));
    }
}

// What is reached by routes takes no port of the host, so writing one has no effect.
void check_routed_ports(const Project& project, const std::string& path, const Service& service,
                        Diagnostics& findings) {
    if (!service.network_mode.empty() || is_stacked_only(project, service)) return;
    const HostFamilies families = host_families(project, service);
    for (std::size_t i = 0; i < service.ports.size(); ++i) {
        const Port& port = service.ports[i];
        if (!has_no_effect(port, families)) continue;
        findings.warning(port.pos, fmt::format("{}.ports[{}]", path, i),
                         "the host address and port have no effect: the network is routed",
                         fmt::format("the container is reached at its own address, port {}", port.target));
    }
}

}  // namespace

void check_supported(const LoadedProject& loaded, Diagnostics& findings, const HostSupport& host) {
    if (loaded.tree) check_supported(loaded.tree->root, findings, host);
    const auto& project = loaded.project;
    for (const auto& [name, service] : project.services) {
        const auto path = "services." + name;
        check_routed_ports(project, path, service, findings);
        check_granted(path + ".configs", service.configs, project.configs, "config", findings);
        check_granted(path + ".secrets", service.secrets, project.secrets, "secret", findings);
        if (service.build)
            check_granted(path + ".build.secrets", service.build->secrets, project.secrets, "secret", findings);
    }
}

}  // namespace compose
