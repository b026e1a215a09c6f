#include "engine/container_request.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/spec_builder.hpp"
#include "runtime/launch_plan.hpp"

namespace compose::engine {
namespace {

using Names = std::map<std::string, std::string>;

json::value list_of(const std::vector<std::string>& texts) {
    if (texts.empty()) return nullptr;
    json::array out;
    for (const std::string& text : texts) out.emplace_back(text);
    return out;
}

json::object map_of(const std::map<std::string, std::string>& values) {
    json::object out;
    for (const auto& [key, value] : values) out[key] = value;
    return out;
}

std::vector<std::string> command_of(const Service& service, const ImageFacts& image) {
    if (service.command) return *service.command;
    return service.entrypoint ? std::vector<std::string>{} : image.command;
}

json::object config_of(const Service& service, const ImageFacts& image) {
    json::object config{{"Entrypoint", list_of(service.entrypoint ? *service.entrypoint : image.entrypoint)},
                        {"Cmd", list_of(command_of(service, image))},
                        {"WorkingDir", service.working_dir.empty() ? image.working_dir : service.working_dir},
                        {"Volumes", nullptr}};
    json::object volumes;
    for (const std::string& target : anonymous_volume_targets(service, image)) volumes[target] = json::object{};
    if (!volumes.empty()) config["Volumes"] = std::move(volumes);
    const std::string& signal = service.stop_signal.empty() ? image.stop_signal : service.stop_signal;
    if (!signal.empty()) config["StopSignal"] = signal;
    return config;
}

std::string tmpfs_options(const Mount& mount) {
    std::string options = mount.tmpfs_options;
    const auto add = [&](const std::string& option) { options += (options.empty() ? "" : ",") + option; };
    if (mount.tmpfs_size) add("size=" + std::to_string(*mount.tmpfs_size));
    if (mount.tmpfs_mode) add(fmt::format("mode={:o}", *mount.tmpfs_mode));
    return options;
}

/// As `--mount` asks for it.
json::object long_mount(const Mount& mount, const std::string& source) {
    static constexpr std::array kTypes{"bind", "volume", "tmpfs", "image"};  // in the order of Mount::Type
    json::object entry{{"Type", kTypes.at(static_cast<std::size_t>(mount.type))}};
    if (!source.empty()) entry["Source"] = source;
    entry["Target"] = mount.target;
    if (mount.read_only) entry["ReadOnly"] = true;
    json::object details;
    if (!mount.propagation.empty()) details["Propagation"] = mount.propagation;
    if (mount.nocopy) details["NoCopy"] = true;
    if (!mount.labels.empty()) details["Labels"] = map_of(mount.labels);
    if (!mount.subpath.empty()) details["Subpath"] = mount.subpath;
    if (mount.tmpfs_size) details["SizeBytes"] = *mount.tmpfs_size;
    if (mount.tmpfs_mode) details["Mode"] = *mount.tmpfs_mode;
    static constexpr std::array kDetails{"BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions"};
    if (!details.empty()) entry[kDetails.at(static_cast<std::size_t>(mount.type))] = std::move(details);
    return entry;
}

/// Docker keeps what `-v` asks for apart from what `--mount` does. A path of the host that is made when it is absent is
/// `-v`'s.
void put_mounts(const Service& service, const Names& volume_names, json::object& host) {
    json::array binds, mounts;
    json::object tmpfs;
    for (const Mount& mount : service.mounts) {
        const bool bind = mount.type == Mount::Type::bind;
        const auto name = volume_names.find(mount.target);
        const std::string& source =
            mount.type == Mount::Type::volume && name != volume_names.end() ? name->second : mount.source;
        if (mount.long_form || mount.type == Mount::Type::image || (bind && !mount.create_host_path)) {
            mounts.push_back(long_mount(mount, source));
        } else if (mount.type == Mount::Type::tmpfs) {
            tmpfs[mount.target] = tmpfs_options(mount);
        } else if (!mount.source.empty()) {
            std::string text = source + ":" + mount.target + (mount.read_only ? ":ro" : ":rw");
            if (mount.nocopy) text += ",nocopy";
            if (!mount.propagation.empty()) text += "," + mount.propagation;
            if (!mount.selinux.empty()) text += "," + mount.selinux;
            binds.emplace_back(std::move(text));
        }
    }
    host["Binds"] = binds.empty() ? json::value(nullptr) : json::value(std::move(binds));
    if (!mounts.empty()) host["Mounts"] = std::move(mounts);
    if (!tmpfs.empty()) host["Tmpfs"] = std::move(tmpfs);
}

json::array rates_of(const std::vector<Limits::DeviceRate>& rates, const char* name) {
    json::array out;
    for (const auto& [path, rate] : rates) out.push_back({{"Path", path}, {name, rate}});
    return out;
}

void put_limits(const Limits& limits, json::object& host) {
    host["OomKillDisable"] = limits.oom_kill_disable;
    host["OomScoreAdj"] = limits.oom_score_adj.value_or(0);
    host["BlkioWeightDevice"] = rates_of(limits.blkio_weight_device, "Weight");
    host["BlkioDeviceReadBps"] = rates_of(limits.device_read_bps, "Rate");
    host["BlkioDeviceWriteBps"] = rates_of(limits.device_write_bps, "Rate");
    host["BlkioDeviceReadIOps"] = rates_of(limits.device_read_iops, "Rate");
    host["BlkioDeviceWriteIOps"] = rates_of(limits.device_write_iops, "Rate");
}

json::value devices_of(const Service& service) {
    json::array out;
    for (const DeviceMapping& device : service.devices)
        out.push_back({{"PathOnHost", device.source},
                       {"PathInContainer", device.target},
                       {"CgroupPermissions", device.permissions}});
    return out;
}

json::value device_requests_of(const Service& service) {
    if (service.gpus.empty()) return nullptr;
    json::array out;
    for (const DeviceRequest& request : service.gpus)
        out.push_back({{"Driver", request.driver},
                       {"Count", request.count.value_or(0)},
                       {"DeviceIDs", list_of(request.device_ids)},
                       {"Capabilities", json::array{list_of(request.capabilities)}},
                       {"Options", map_of(request.options)}});
    return out;
}

json::value paths_of(const std::vector<std::string>& paths, bool hidden) {
    if (!hidden) return nullptr;
    json::array out;
    for (const std::string& path : paths) out.emplace_back("/" + path);
    return out;
}

json::value hosts_of(const Service& service) {
    std::vector<std::string> out;
    for (const auto& [name, addresses] : service.extra_hosts)
        for (const std::string& address : addresses) out.push_back(name + ":" + address);
    return list_of(out);
}

json::object host_of(const Service& service, const Names& volume_names) {
    const Logging logging = service.logging.value_or(Logging{});
    const bool guarded = !service.privileged &&
                         std::none_of(service.security_opt.begin(), service.security_opt.end(), [](const auto& text) {
                             const auto option = parse_security_option(text);
                             return option.key == "systempaths" && option.value == "unconfined";
                         });
    json::object host{
        {"LogConfig",
         {{"Type", logging.driver.empty() ? "json-file" : logging.driver}, {"Config", map_of(logging.options)}}},
        {"GroupAdd", list_of(service.group_add)},
        {"Dns", list_of(service.dns)},
        {"DnsOptions", list_of(service.dns_opt)},
        {"DnsSearch", list_of(service.dns_search)},
        {"ExtraHosts", hosts_of(service)},
        {"Links", list_of(service.external_links)},
        {"VolumesFrom", list_of(service.volumes_from)},
        {"SecurityOpt", list_of(service.security_opt)},
        {"PidMode", service.pid},
        {"IpcMode", service.ipc.empty() ? "private" : service.ipc},
        {"UTSMode", service.uts},
        {"UsernsMode", service.userns_mode},
        {"CgroupnsMode", service.cgroup.empty() ? "private" : service.cgroup},
        {"Devices", devices_of(service)},
        {"DeviceCgroupRules", list_of(service.device_cgroup_rules)},
        {"DeviceRequests", device_requests_of(service)},
        {"PublishAllPorts", service.publish_all},
        {"MaskedPaths", paths_of(runtime::masked_paths(), guarded)},
        {"ReadonlyPaths", paths_of(runtime::read_only_paths(), guarded)}};
    if (!service.sysctls.empty()) host["Sysctls"] = map_of(service.sysctls);
    if (!service.storage_opt.empty()) host["StorageOpt"] = map_of(service.storage_opt);
    if (!service.annotations.empty()) host["Annotations"] = map_of(service.annotations);
    put_limits(service.limits, host);
    put_mounts(service, volume_names, host);
    return host;
}

}  // namespace

std::string container_request(const Service& service, const ImageFacts& image, const Names& volume_names) {
    return json::serialize(
        json::object{{"Config", config_of(service, image)}, {"HostConfig", host_of(service, volume_names)}});
}

RequestedCommand requested_command(const std::string& request) {
    RequestedCommand out;
    const json::value parsed = parse_json(request);
    const json::object* object = parsed.if_object();
    const json::value* config = object == nullptr ? nullptr : object->if_contains("Config");
    if (config == nullptr || !config->is_object()) return out;
    out.entrypoint = strings_or_empty(config->as_object(), "Entrypoint");
    out.command = strings_or_empty(config->as_object(), "Cmd");
    return out;
}

}  // namespace compose::engine
