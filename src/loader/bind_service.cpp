#include "loader/bind_service.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"
#include "model/config_hash.hpp"
#include "model/names.hpp"

namespace compose {

namespace {

constexpr int kMaxReplicas = 10'000;

std::optional<Nanoseconds> bind_duration(const Node& map, std::string_view key) {
    return parse_duration(text_of(map, key));
}

std::optional<std::int64_t> bind_bytes(const Node& map, std::string_view key) {
    const auto* node = map.find(key);
    return node == nullptr ? std::nullopt : bytes_of(*node);
}

int bind_int(const Node& map, std::string_view key, int fallback) {
    const auto* node = map.find(key);
    const auto value = node == nullptr ? std::nullopt : integer_of(*node);
    return value ? static_cast<int>(std::clamp<std::int64_t>(*value, INT32_MIN, INT32_MAX)) : fallback;
}

std::optional<std::vector<std::string>> bind_command(const Node& service, std::string_view key) {
    const auto* node = service.find(key);
    if (node == nullptr || !node->is_sequence()) return std::nullopt;
    return bind_list(node);
}

RestartPolicy bind_restart(const Node& service) {
    RestartPolicy out;
    const auto& policy = child_or_empty(child_or_empty(service, "deploy"), "restart_policy");
    const auto condition = text_of(policy, "condition");
    const auto text = text_of(service, "restart");
    if (policy.is_mapping()) {
        if (condition == "any" || condition.empty()) out.kind = RestartPolicy::Kind::always;
        if (condition == "on-failure") out.kind = RestartPolicy::Kind::on_failure;
        if (out.kind == RestartPolicy::Kind::on_failure) out.max_retries = bind_int(policy, "max_attempts", 0);
    } else if (text == "always") {
        out.kind = RestartPolicy::Kind::always;
    } else if (text == "unless-stopped") {
        out.kind = RestartPolicy::Kind::unless_stopped;
    } else if (text.starts_with("on-failure")) {
        out.kind = RestartPolicy::Kind::on_failure;
        if (text.size() > 11)
            out.max_retries =
                static_cast<int>(integer_of(Node::make_string(std::string(text.substr(11)), {})).value_or(0));
    }
    return out;
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
        attachment.link_local_ips = bind_list(value.find("link_local_ips"));
        attachment.priority = bind_int(value, "priority", 0);
        attachment.gw_priority = bind_int(value, "gw_priority", 0);
        // The service's own address is the one of its first network.
        if (out.empty() && attachment.mac_address.empty()) attachment.mac_address = own_mac;
        out.push_back(std::move(attachment));
    }
    return out;
}

std::map<std::string, std::vector<std::string>> bind_hosts(const Node& service) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& item : child_or_empty(service, "extra_hosts").items) {
        const auto equals = item.text.find('=');
        if (equals != std::string::npos) out[item.text.substr(0, equals)].push_back(item.text.substr(equals + 1));
    }
    return out;
}

std::map<std::string, Service::Ulimit> bind_ulimits(const Node& service) {
    std::map<std::string, Service::Ulimit> out;
    for (const auto& [key, pos, value] : child_or_empty(service, "ulimits").entries) {
        const auto number = [&](const Node* node) { return node == nullptr ? 0 : integer_of(*node).value_or(0); };
        out[key] = value.is_mapping() ? Service::Ulimit{number(value.find("soft")), number(value.find("hard"))}
                                      : Service::Ulimit{number(&value), number(&value)};
    }
    return out;
}

void bind_resources(Service& out, const Node& service) {
    const auto& limits = child_or_empty(child_or_empty(child_or_empty(service, "deploy"), "resources"), "limits");
    out.shm_size = bind_bytes(service, "shm_size");
    out.mem_limit = bind_bytes(service, "mem_limit");
    if (!out.mem_limit) out.mem_limit = bind_bytes(limits, "memory");
    for (const auto* node : {service.find("pids_limit"), limits.find("pids")})
        if (node != nullptr && !out.pids_limit) out.pids_limit = integer_of(*node);
    for (const auto* node : {service.find("cpus"), limits.find("cpus")})
        if (node != nullptr && !out.cpus) out.cpus = number_of(*node);
    out.ulimits = bind_ulimits(service);
}

void bind_process(Service& out, const Node& service) {
    out.command = bind_command(service, "command");
    out.entrypoint = bind_command(service, "entrypoint");
    for (const auto& [key, pos, value] : child_or_empty(service, "environment").entries)
        out.environment[key] = value.is_null() ? std::nullopt : std::optional(scalar_text(value));
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
    out.sysctls = bind_texts(service.find("sysctls"));
}

void bind_networking(Service& out, const Node& service, const std::string& path, Diagnostics& findings) {
    out.hostname = text_of(service, "hostname");
    out.domainname = text_of(service, "domainname");
    out.network_mode = text_of(service, "network_mode");
    out.networks = bind_networks(service);
    out.ports = bind_ports(service, path, findings);
    out.expose = bind_list(service.find("expose"));
    out.extra_hosts = bind_hosts(service);
    out.dns = bind_list(service.find("dns"));
    out.dns_search = bind_list(service.find("dns_search"));
    out.dns_opt = bind_list(service.find("dns_opt"));
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

std::map<std::string, std::string> bind_texts(const Node* map) {
    std::map<std::string, std::string> out;
    if (map == nullptr) return out;
    for (const auto& entry : map->entries) out[entry.key] = scalar_text(entry.value);
    return out;
}

std::vector<std::string> bind_list(const Node* list) {
    std::vector<std::string> out;
    if (list == nullptr) return out;
    for (const auto& item : list->items) out.push_back(scalar_text(item));
    return out;
}

bool bind_flag(const Node& map, std::string_view key, bool fallback) {
    const auto* node = map.find(key);
    return node == nullptr ? fallback : boolean_of(*node).value_or(fallback);
}

Service bind_service(const Node::Entry& entry, const std::string& project, Diagnostics& findings) {
    const Node& service = entry.value;
    const auto path = "services." + entry.key;
    Service out;
    out.name = entry.key;
    out.pos = entry.key_pos;
    out.config_hash = service_hash(service);
    out.image = text_of(service, "image");
    if (const auto* image = service.find("image")) out.image_pos = image->pos;
    if (out.image.empty() && service.find("build") != nullptr) {
        out.image = built_image_name(project, entry.key);
        out.image_pos = key_pos_of(service, "build");
    }
    out.platform = text_of(service, "platform");
    out.pull_policy = text_of(service, "pull_policy");
    out.labels = bind_texts(service.find("labels"));
    out.annotations = bind_texts(service.find("annotations"));
    out.container_name = text_of(service, "container_name");
    out.depends_on = bind_dependencies(service);
    out.mounts = bind_mounts(service);
    out.profiles = bind_list(service.find("profiles"));
    out.scale = bind_scale(service, path, findings);
    bind_process(out, service);
    bind_isolation(out, service);
    bind_networking(out, service, path, findings);
    bind_resources(out, service);
    return out;
}

}  // namespace compose
