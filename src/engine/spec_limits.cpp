// The parts of a container's description that are about its limits, privileges and namespaces.
#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/spec_builder.hpp"
#include "runtime/resctrl.hpp"
#include "sys/host.hpp"

namespace compose::engine {
namespace {

using runtime::ContainerSpec;
using runtime::NamespaceMode;

std::vector<runtime::DeviceRate> rates_of(const std::vector<Limits::DeviceRate>& rates) {
    std::vector<runtime::DeviceRate> result;
    for (const auto& [path, rate] : rates)
        result.push_back({path, static_cast<std::uint64_t>(std::max<std::int64_t>(rate, 0))});
    return result;
}

void set_cpu(const Limits& limits, runtime::Resources& out) {
    if (limits.cpu_shares && *limits.cpu_shares > 0) out.cpu_shares = static_cast<std::uint64_t>(*limits.cpu_shares);
    out.cpu_quota = limits.cpu_quota;
    out.cpu_period = limits.cpu_period;
    out.cpu_rt_runtime = limits.cpu_rt_runtime;
    out.cpu_rt_period = limits.cpu_rt_period;
    if (!limits.cpuset.empty()) out.cpuset_cpus = limits.cpuset;
    if (!limits.cpuset_mems.empty()) out.cpuset_mems = limits.cpuset_mems;
}

void set_memory(const Service& service, runtime::Resources& out) {
    const Limits& limits = service.limits;
    out.memory = service.mem_limit;
    out.memory_reservation = limits.mem_reservation;
    // 0 is Docker's word for "not set".
    if (limits.memswap_limit && *limits.memswap_limit != 0) out.memory_swap = limits.memswap_limit;
    if (limits.mem_swappiness && *limits.mem_swappiness >= 0) out.memory_swappiness = limits.mem_swappiness;
    out.oom_kill_disable = limits.oom_kill_disable;
}

void set_block_io(const Limits& limits, runtime::Resources& out) {
    if (limits.blkio_weight && *limits.blkio_weight != 0) out.blkio_weight = limits.blkio_weight;
    out.blkio_weight_device = rates_of(limits.blkio_weight_device);
    out.read_bps = rates_of(limits.device_read_bps);
    out.write_bps = rates_of(limits.device_write_bps);
    out.read_iops = rates_of(limits.device_read_iops);
    out.write_iops = rates_of(limits.device_write_iops);
}

}  // namespace

std::string cgroup_parent_path(const std::string& path) {
    std::vector<std::string> parts = split(path, '/');
    std::erase(parts, std::string{});
    return "/" + join(parts, "/");
}

SecurityOption parse_security_option(const std::string& text) {
    auto at = text.find('=');
    if (at == std::string::npos) at = text.find(':');  // the old spelling
    if (at == std::string::npos) return {text, {}};
    return {text.substr(0, at), text.substr(at + 1)};
}

std::string seccomp_profile_path(const Service& service) {
    std::string result;
    for (const std::string& text : service.security_opt) {
        const auto [key, value] = parse_security_option(text);
        if (key == "seccomp") result = value == "unconfined" || value == "builtin" ? std::string{} : value;
    }
    return result;
}

std::vector<std::string> label_options(const Service& service) {
    std::vector<std::string> result;
    for (const std::string& text : service.security_opt)
        if (const auto [key, value] = parse_security_option(text); key == "label") result.push_back(value);
    return result;
}

bool joins_container(const std::string& mode) {
    return mode.starts_with("service:") || mode.starts_with("container:");
}

void set_limits(const Service& service, ContainerSpec& spec) {
    for (const auto& [name, limit] : service.ulimits) spec.rlimits.push_back({name, limit.soft, limit.hard});
    if (service.pids_limit) spec.resources.pids = *service.pids_limit <= 0 ? -1 : *service.pids_limit;
    if (service.shm_size) spec.shm_size = *service.shm_size;
    spec.sysctls = service.sysctls;
    spec.resources.cpus = service.cpus;
    spec.oom_score_adj = service.limits.oom_score_adj;
    set_cpu(service.limits, spec.resources);
    set_memory(service, spec.resources);
    set_block_io(service.limits, spec.resources);
}

void set_security(const Service& service, const ContainerFacts& facts, ContainerSpec& spec) {
    spec.cap_add = service.cap_add;
    spec.cap_drop = service.cap_drop;
    spec.privileged = service.privileged;
    spec.seccomp_profile = facts.seccomp_profile;
    if (!service.privileged) spec.apparmor = facts.apparmor;
    spec.process_label = facts.labels.process;
    spec.mount_label = facts.labels.mount;
    for (const std::string& option : service.security_opt) {
        const auto [key, value] = parse_security_option(option);
        const bool on = value.empty() || value == "true";
        if (key == "no-new-privileges") spec.no_new_privileges = on;
        if (key == "apparmor" && value == "unconfined") spec.apparmor.clear();
        if (key == "apparmor" && value != "unconfined") {
            if (!sys::has_apparmor())
                throw make_error(ErrorKind::unavailable,
                                 "AppArmor profile {}: this kernel has no AppArmor, or it is off", quote(value));
            spec.apparmor = value;
        }
        if (key == "seccomp") spec.seccomp_unconfined = value == "unconfined";
        if (key == "systempaths") spec.unprotected_paths = value == "unconfined";
        if (key == "writable-cgroups") spec.writable_cgroups = on;
    }
    for (const DeviceMapping& device : service.devices)
        if (!is_cdi_name(device.source))
            spec.devices.push_back(
                {device.source, device.target.empty() ? device.source : device.target, device.permissions});
    spec.devices.insert(spec.devices.end(), facts.cdi.devices.begin(), facts.cdi.devices.end());
    spec.net_devices = facts.cdi.net_devices;
    if (!spec.net_devices.empty() && spec.network != NamespaceMode::own)
        throw make_error(ErrorKind::invalid, "its CDI devices have the interface {}: it needs a network of its own",
                         spec.net_devices.front().host);
    spec.cache_share = facts.cdi.cache_share;
    if (spec.cache_share) runtime::check_resctrl();
    spec.device_rules = service.device_cgroup_rules;
}

void set_namespaces(const Service& service, const ContainerFacts& facts, ContainerSpec& spec) {
    const auto mode = [](const std::string& text) {
        if (joins_container(text)) return NamespaceMode::joined;
        return text == "host" ? NamespaceMode::host : NamespaceMode::own;
    };
    spec.network = mode(service.network_mode);
    spec.pid = mode(service.pid);
    spec.ipc = mode(service.ipc);
    spec.uts = mode(service.uts);
    spec.cgroup = mode(service.cgroup);
    spec.network_of = facts.network_of;
    spec.pid_of = facts.pid_of;
    spec.ipc_of = facts.ipc_of;
    spec.shared_memory = service.ipc != "none";
    spec.joinable_ipc = service.ipc != "none" && service.ipc != "private";
    if (!service.cgroup_parent.empty()) spec.cgroup_parent = cgroup_parent_path(service.cgroup_parent);
}

}  // namespace compose::engine
