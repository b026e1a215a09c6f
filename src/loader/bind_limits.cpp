// What the kernel's controllers and the device cgroup are told. `deploy.resources` says the same things in other words;
// the consistency check has seen that the two agree.
#include <algorithm>

#include "loader/bind_service.hpp"
#include "loader/bind_values.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

std::vector<Limits::DeviceRate> bind_rates(const Node& blkio, std::string_view key) {
    std::vector<Limits::DeviceRate> out;
    for (const auto& node : child_or_empty(blkio, key).items) {
        const auto* rate = node.find("rate");
        if (rate == nullptr) rate = node.find("weight");
        out.push_back({std::string(text_of(node, "path")), rate == nullptr ? 0 : bytes_of(*rate).value_or(0)});
    }
    return out;
}

void bind_cpu(Limits& out, const Node& service) {
    out.cpu_shares = bind_integer(service, "cpu_shares");
    out.cpu_quota = bind_integer(service, "cpu_quota");
    out.cpu_period = bind_integer(service, "cpu_period");
    out.cpu_rt_runtime = bind_integer(service, "cpu_rt_runtime");
    out.cpu_rt_period = bind_integer(service, "cpu_rt_period");
    out.cpuset = text_of(service, "cpuset");
}

void bind_memory(Limits& out, const Node& service, const Node& reservations) {
    out.mem_reservation = bind_bytes(service, "mem_reservation");
    if (!out.mem_reservation) out.mem_reservation = bind_bytes(reservations, "memory");
    out.memswap_limit = bind_bytes(service, "memswap_limit");
    if (service.find("mem_swappiness") != nullptr) out.mem_swappiness = bind_int(service, "mem_swappiness", 0);
    out.oom_kill_disable = bind_flag(service, "oom_kill_disable");
    if (service.find("oom_score_adj") != nullptr) out.oom_score_adj = bind_int(service, "oom_score_adj", 0);
}

void bind_blkio(Limits& out, const Node& service) {
    const auto& blkio = child_or_empty(service, "blkio_config");
    if (blkio.find("weight") != nullptr) out.blkio_weight = bind_int(blkio, "weight", 0);
    out.blkio_weight_device = bind_rates(blkio, "weight_device");
    out.device_read_bps = bind_rates(blkio, "device_read_bps");
    out.device_write_bps = bind_rates(blkio, "device_write_bps");
    out.device_read_iops = bind_rates(blkio, "device_read_iops");
    out.device_write_iops = bind_rates(blkio, "device_write_iops");
}

std::vector<DeviceMapping> bind_devices(const Node& service) {
    std::vector<DeviceMapping> out;
    for (const auto& node : child_or_empty(service, "devices").items) {
        DeviceMapping device;
        device.source = text_of(node, "source");
        device.target = text_of(node, "target");
        device.permissions = text_of(node, "permissions");
        device.pos = node.pos;
        // The canonical form repeats a CDI name as its target.
        if (device.target == device.source && !device.source.starts_with('/') &&
            device.source.find('=') != std::string::npos)
            device.target.clear();
        out.push_back(std::move(device));
    }
    return out;
}

DeviceRequest bind_request(const Node& node) {
    DeviceRequest out;
    out.driver = text_of(node, "driver");
    out.count = bind_integer(node, "count");
    out.device_ids = bind_list(node.find("device_ids"));
    out.capabilities = bind_list(node.find("capabilities"));
    out.options = bind_texts(node.find("options"));
    out.pos = node.pos;
    return out;
}

std::vector<DeviceRequest> bind_requests(const Node& service, const Node& reservations) {
    std::vector<DeviceRequest> out;
    for (const auto& node : child_or_empty(reservations, "devices").items) out.push_back(bind_request(node));
    for (const auto& node : child_or_empty(service, "gpus").items) {
        auto& request = out.emplace_back(bind_request(node));
        // That a GPU is meant goes without saying under `gpus`.
        auto& wanted = request.capabilities;
        if (std::find(wanted.begin(), wanted.end(), "gpu") == wanted.end()) wanted.emplace_back("gpu");
    }
    return out;
}

}  // namespace

void bind_limits(Service& out, const Node& service) {
    const auto& resources = child_or_empty(child_or_empty(service, "deploy"), "resources");
    const auto& limits = child_or_empty(resources, "limits");
    const auto& reservations = child_or_empty(resources, "reservations");
    out.shm_size = bind_bytes(service, "shm_size");
    out.mem_limit = bind_bytes(service, "mem_limit");
    if (!out.mem_limit) out.mem_limit = bind_bytes(limits, "memory");
    for (const auto* node : {service.find("pids_limit"), limits.find("pids")})
        if (node != nullptr && !out.pids_limit) out.pids_limit = integer_of(*node);
    for (const auto* node : {service.find("cpus"), limits.find("cpus")})
        if (node != nullptr && !out.cpus) out.cpus = number_of(*node);
    for (const auto& [name, pair] : bind_ulimits(service.find("ulimits")))
        out.ulimits[name] = Service::Ulimit{pair.first, pair.second};
    bind_cpu(out.limits, service);
    bind_memory(out.limits, service, reservations);
    bind_blkio(out.limits, service);
    out.devices = bind_devices(service);
    out.device_cgroup_rules = bind_list(service.find("device_cgroup_rules"));
    out.gpus = bind_requests(service, reservations);
}

}  // namespace compose
