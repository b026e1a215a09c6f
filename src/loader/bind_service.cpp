#include "loader/bind_service.hpp"

#include "loader/bind_values.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"
#include "model/canonical.hpp"
#include "model/names.hpp"

namespace compose {

namespace {

constexpr int kMaxReplicas = 10'000;

std::optional<std::vector<std::string>> bind_command(const Node& service, std::string_view key) {
    const auto* node = service.find(key);
    if (node == nullptr || !node->is_sequence()) return std::nullopt;
    return bind_list(node);
}

std::optional<Healthcheck> bind_healthcheck(const Node& service) {
    const auto* node = service.find("healthcheck");
    if (node == nullptr || !node->is_mapping()) return std::nullopt;
    Healthcheck out;
    out.test = bind_list(node->find("test"));
    out.disabled = bind_flag(*node, "disable") || (!out.test.empty() && out.test[0] == "NONE");
    out.interval = bind_duration(*node, "interval");
    out.timeout = bind_duration(*node, "timeout");
    out.start_period = bind_duration(*node, "start_period");
    out.start_interval = bind_duration(*node, "start_interval");
    if (node->find("retries") != nullptr) out.retries = bind_int(*node, "retries", 0);
    return out;
}

std::vector<Dependency> bind_dependencies(const Node& service) {
    std::vector<Dependency> out;
    for (const auto& [key, pos, value] : child_or_empty(service, "depends_on").entries) {
        Dependency dependency;
        dependency.service = key;
        dependency.pos = pos;
        dependency.restart = bind_flag(value, "restart");
        dependency.required = bind_flag(value, "required", true);
        const auto condition = text_of(value, "condition");
        if (condition == "service_healthy") dependency.condition = Condition::healthy;
        if (condition == "service_completed_successfully") dependency.condition = Condition::completed;
        out.push_back(std::move(dependency));
    }
    return out;
}

std::vector<NetworkAttachment> bind_networks(const Node& service) {
    std::vector<NetworkAttachment> out;
    const auto own_mac = text_of(service, "mac_address");
    for (const auto& [key, pos, value] : child_or_empty(service, "networks").entries) {
        NetworkAttachment attachment;
        attachment.network = key;
        attachment.pos = pos;
        attachment.aliases = bind_list(value.find("aliases"));
        attachment.ipv4_address = text_of(value, "ipv4_address");
        attachment.ipv6_address = text_of(value, "ipv6_address");
        attachment.mac_address = text_of(value, "mac_address");
        attachment.interface_name = text_of(value, "interface_name");
        attachment.driver_opts = bind_texts(value.find("driver_opts"));
        attachment.link_local_ips = bind_list(value.find("link_local_ips"));
        attachment.priority = bind_int(value, "priority", 0);
        attachment.gw_priority = bind_int(value, "gw_priority", 0);
        // The service's own address is the one of its first network.
        if (out.empty() && attachment.mac_address.empty()) attachment.mac_address = own_mac;
        out.push_back(std::move(attachment));
    }
    return out;
}

void bind_process(Service& out, const Node& service) {
    out.command = bind_command(service, "command");
    out.entrypoint = bind_command(service, "entrypoint");
    out.environment = bind_variables(service.find("environment"));
    out.working_dir = text_of(service, "working_dir");
    out.user = text_of(service, "user");
    out.group_add = bind_list(service.find("group_add"));
    out.init = bind_flag(service, "init");
    out.tty = bind_flag(service, "tty");
    out.stdin_open = bind_flag(service, "stdin_open");
    out.attach = bind_flag(service, "attach", true);
    out.stop_signal = text_of(service, "stop_signal");
    out.stop_grace_period = bind_duration(service, "stop_grace_period");
    out.restart = bind_restart(service);
    out.healthcheck = bind_healthcheck(service);
}

void bind_isolation(Service& out, const Node& service) {
    out.read_only = bind_flag(service, "read_only");
    out.privileged = bind_flag(service, "privileged");
    out.cap_add = bind_list(service.find("cap_add"));
    out.cap_drop = bind_list(service.find("cap_drop"));
    out.security_opt = bind_list(service.find("security_opt"));
    out.security_pos = key_pos_of(service, "security_opt");
    out.sysctls = bind_texts(service.find("sysctls"));
    out.ipc = text_of(service, "ipc");
    out.pid = text_of(service, "pid");
    out.uts = text_of(service, "uts");
    out.userns_mode = text_of(service, "userns_mode");
    out.cgroup = text_of(service, "cgroup");
    out.cgroup_parent = text_of(service, "cgroup_parent");
    out.runtime = text_of(service, "runtime");
    out.storage_opt = bind_texts(service.find("storage_opt"));
}

void bind_networking(Service& out, const Node& service, const std::string& path, Diagnostics& findings) {
    out.hostname = text_of(service, "hostname");
    out.domainname = text_of(service, "domainname");
    out.network_mode = text_of(service, "network_mode");
    out.networks = bind_networks(service);
    out.ports = bind_ports(service, path, findings);
    out.expose = bind_list(service.find("expose"));
    out.extra_hosts = bind_hosts(service.find("extra_hosts"));
    out.dns = bind_list(service.find("dns"));
    out.dns_search = bind_list(service.find("dns_search"));
    out.dns_opt = bind_list(service.find("dns_opt"));
    out.links = bind_list(service.find("links"));
    out.external_links = bind_list(service.find("external_links"));
}

void bind_storage(Service& out, const Node& service) {
    out.mounts = bind_mounts(service);
    out.volumes_from = bind_list(service.find("volumes_from"));
    out.configs = bind_grants(service, "configs");
    out.secrets = bind_grants(service, "secrets");
}

std::optional<Logging> bind_logging(const Node& service) {
    const auto* node = service.find("logging");
    if (node == nullptr || !node->is_mapping()) return std::nullopt;
    Logging out;
    out.driver = text_of(*node, "driver");
    out.options = bind_texts(node->find("options"));
    out.pos = key_pos_of(service, "logging");
    return out;
}

std::map<std::string, std::string> bind_extensions(const Node& service) {
    std::map<std::string, std::string> out;
    for (const auto& entry : service.entries)
        if (entry.key.starts_with("x-")) out[entry.key] = render_compact_json(entry.value);
    return out;
}

int bind_scale(const Node& service, const std::string& path, Diagnostics& findings) {
    const auto* node = service.find("scale");
    if (node == nullptr) node = child_or_empty(service, "deploy").find("replicas");
    const auto value = node == nullptr ? std::nullopt : integer_of(*node);
    if (!value) return 1;
    if (*value >= 0 && *value <= kMaxReplicas) return static_cast<int>(*value);
    findings.error(node->pos, path + ".scale", fmt::format("{} is not a number of containers", *value),
                   fmt::format("write a number from 0 to {}", kMaxReplicas));
    return 1;
}

}  // namespace

Service bind_service(const Node::Entry& entry, const std::string& project, Diagnostics& findings) {
    const Node& service = entry.value;
    const auto path = "services." + entry.key;
    Service out;
    out.name = entry.key;
    out.pos = entry.key_pos;
    out.image = text_of(service, "image");
    if (const auto* image = service.find("image")) out.image_pos = image->pos;
    if (out.image.empty() && service.find("build") != nullptr) {
        out.image = built_image_name(project, entry.key);
        out.image_pos = key_pos_of(service, "build");
    }
    out.platform = text_of(service, "platform");
    out.pull_policy = text_of(service, "pull_policy");
    out.pull_refresh_after = text_of(service, "pull_refresh_after");
    out.labels = bind_texts(service.find("labels"));
    out.annotations = bind_texts(service.find("annotations"));
    out.container_name = text_of(service, "container_name");
    out.depends_on = bind_dependencies(service);
    out.profiles = bind_list(service.find("profiles"));
    out.scale = bind_scale(service, path, findings);
    bind_process(out, service);
    bind_isolation(out, service);
    bind_networking(out, service, path, findings);
    bind_storage(out, service);
    bind_limits(out, service);
    bind_companions(out, service);
    out.logging = bind_logging(service);
    out.deploy = bind_deploy(service);
    out.build = bind_build(service);
    out.extensions = bind_extensions(service);
    return out;
}

}  // namespace compose
