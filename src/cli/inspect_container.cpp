// One container in the shape of Docker's API.
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "cli/inspect_json.hpp"
#include "cli/log_printer.hpp"

namespace compose::cli {

namespace {

json::value time_of(std::int64_t nanoseconds) {
    return nanoseconds == 0 ? json::value("0001-01-01T00:00:00Z") : json::value(log_time(nanoseconds));
}

json::array list_of(const std::vector<std::string>& texts) {
    json::array out;
    for (const auto& text : texts) out.emplace_back(text);
    return out;
}

json::value map_or_null(const std::map<std::string, std::string>& texts) {
    if (texts.empty()) return nullptr;
    json::object object;
    for (const auto& [key, value] : texts) object[key] = value;
    return object;
}

json::value list_or_null(const std::vector<std::string>& texts) {
    return texts.empty() ? json::value(nullptr) : json::value(list_of(texts));
}

std::string port_key(const Publisher& port) {
    return fmt::format("{}/{}", port.target, port.protocol);
}

json::object state_of(const ContainerDetails& d) {
    const ContainerView& view = d.view;
    json::object state{{"Status", view.state},
                       {"Running", view.state == "running" || view.state == "paused"},
                       {"Paused", view.state == "paused"},
                       {"Restarting", view.state == "restarting"},
                       {"OOMKilled", d.oom_killed},
                       {"Dead", view.state == "dead"},
                       {"Pid", view.pid},
                       {"ExitCode", view.exit_code},
                       {"Error", d.error},
                       {"StartedAt", time_of(view.started_at)},
                       {"FinishedAt", time_of(view.finished_at)}};
    if (d.health_json.empty()) return state;
    json::array log;
    for (const ProbeRecord& probe : d.probes)
        log.push_back({{"Start", time_of(probe.began)},
                       {"End", time_of(probe.ended)},
                       {"ExitCode", probe.exit_code},
                       {"Output", probe.output}});
    state["Health"] = {{"Status", view.health.empty() ? "unhealthy" : view.health},
                       {"FailingStreak", d.failing_streak},
                       {"Log", std::move(log)}};
    return state;
}

json::object port_bindings(const ContainerView& view) {
    json::object ports;
    for (const Publisher& port : view.publishers) {
        json::value& entry = ports[port_key(port)];
        if (port.published == 0 && port.url.empty()) continue;
        if (!entry.is_array()) entry = json::array{};
        // Of a routed network there is an address, and no port of the host's.
        const auto number = port.published == 0 ? std::string() : std::to_string(port.published);
        entry.as_array().push_back({{"HostIp", port.url}, {"HostPort", number}});
    }
    return ports;
}

json::array mounts_of(const ContainerDetails& d) {
    json::array out;
    for (const ContainerMount& mount : d.mounts) {
        json::object entry{{"Type", mount.type}};
        if (!mount.name.empty()) entry["Name"] = mount.name;
        entry["Source"] = mount.source;
        entry["Destination"] = mount.destination;
        if (mount.type == "volume") entry["Driver"] = "local";
        entry["Mode"] = mount.read_only ? "ro" : "";
        entry["RW"] = !mount.read_only;
        entry["Propagation"] = mount.propagation;
        out.push_back(std::move(entry));
    }
    return out;
}

json::object restart_of(const std::string& text) {
    const auto colon = text.find(':');
    std::int64_t retries = 0;
    if (colon != std::string::npos)
        for (const char c : text.substr(colon + 1))
            if (c >= '0' && c <= '9') retries = retries * 10 + (c - '0');
    return {{"Name", text.substr(0, colon)}, {"MaximumRetryCount", retries}};
}

std::string network_mode(const ContainerDetails& d, const json::object& spec) {
    if (string_or(spec, "network") == "host") return "host";
    if (const auto joined = string_or(spec, "network_of"); !joined.empty()) return "container:" + joined;
    if (d.networks.empty()) return "none";
    return d.networks.front().name;
}

/// What was asked for, whether it runs or not.
json::object wished_bindings(const ContainerDetails& d) {
    json::object out;
    if (d.ports_json.empty()) return out;
    const json::value list = parse_json(d.ports_json);
    if (!list.is_array()) return out;
    for (const json::value& item : list.get_array()) {
        if (!item.is_object() || !bool_or(item.get_object(), "publish", true)) continue;
        const json::object& port = item.get_object();
        const auto first = int_or(port, "first", 0), last = int_or(port, "last", 0);
        const std::string host_port = first == 0      ? ""
                                      : last <= first ? std::to_string(first)
                                                      : fmt::format("{}-{}", first, last);
        json::value& entry =
            out[fmt::format("{}/{}", int_or(port, "container_port", 0), string_or(port, "protocol", "tcp"))];
        if (!entry.is_array()) entry = json::array{};
        entry.get_array().push_back({{"HostIp", string_or(port, "host_ip")}, {"HostPort", host_port}});
    }
    return out;
}

/// Each of its container ports: published ones too while it does not run.
json::object exposed_ports(const ContainerDetails& d) {
    json::object out;
    for (const Publisher& port : d.view.publishers) out[port_key(port)] = json::object{};
    for (const auto& [key, bindings] : wished_bindings(d)) out[key] = json::object{};
    return out;
}

/// `part` of what was asked for, over which `known` goes.
json::object over_request(const json::object& request, std::string_view part, json::object known) {
    const json::value* const asked = request.if_contains(part);
    if (asked == nullptr || !asked->is_object()) return known;
    for (const auto& [key, value] : asked->get_object())
        if (!known.contains(key)) known[key] = value;
    return known;
}

/// From the specification, which `update` changes.
json::object limits_of(const json::object& spec) {
    const json::value* const known = spec.if_contains("resources");
    static const json::object kNone;
    const json::object& resources = known != nullptr && known->is_object() ? known->get_object() : kNone;
    json::object out;
    constexpr std::pair<const char*, const char*> kNumbers[] = {{"Memory", "memory"},
                                                                {"MemorySwap", "memory_swap"},
                                                                {"MemoryReservation", "memory_reservation"},
                                                                {"CpuShares", "cpu_shares"},
                                                                {"CpuPeriod", "cpu_period"},
                                                                {"CpuQuota", "cpu_quota"},
                                                                {"CpuRealtimePeriod", "cpu_rt_period"},
                                                                {"CpuRealtimeRuntime", "cpu_rt_runtime"},
                                                                {"BlkioWeight", "blkio_weight"},
                                                                {"PidsLimit", "pids"}};
    for (const auto& [name, key] : kNumbers) out[name] = int_or(resources, key, 0);
    // As the kernel is told: without a word about swap, as much of it as of memory.
    const auto memory = int_or(resources, "memory", 0);
    if (memory > 0 && int_or(resources, "memory_swap", 0) == 0) out["MemorySwap"] = 2 * memory;
    out["CpusetCpus"] = string_or(resources, "cpuset_cpus");
    out["CpusetMems"] = string_or(resources, "cpuset_mems");
    const json::value* const swappiness = resources.if_contains("memory_swappiness");
    out["MemorySwappiness"] = swappiness == nullptr ? json::value(nullptr) : *swappiness;
    const json::value* const cpus = resources.if_contains("cpus");
    const double count = cpus != nullptr && cpus->is_number() ? cpus->to_number<double>() : 0;
    out["NanoCpus"] = static_cast<std::int64_t>(count * 1e9);
    return out;
}

json::object host_config(const ContainerDetails& d, const json::object& spec) {
    json::array ulimits;
    if (const auto* limits = spec.if_contains("rlimits"); limits != nullptr && limits->is_array())
        for (const json::value& limit : limits->as_array())
            if (limit.is_object())
                ulimits.push_back({{"Name", string_or(limit.as_object(), "name")},
                                   {"Soft", int_or(limit.as_object(), "soft", 0)},
                                   {"Hard", int_or(limit.as_object(), "hard", 0)}});
    json::object out = limits_of(spec);
    out["Ulimits"] = std::move(ulimits);
    // Of Windows, of Swarm and of Docker's own client.
    for (const char* name : {"Cgroup", "ContainerIDFile", "Isolation", "VolumeDriver"}) out[name] = "";
    for (const char* name : {"CpuCount", "CpuPercent", "IOMaximumBandwidth", "IOMaximumIOps"}) out[name] = 0;
    out["ConsoleSize"] = json::array{0, 0};
    const json::object rest{{"NetworkMode", network_mode(d, spec)},
                            {"PortBindings", wished_bindings(d)},
                            {"RestartPolicy", restart_of(d.restart)},
                            {"AutoRemove", d.view.labels.contains(kAutoRemoveLabel)},
                            {"CapAdd", list_or_null(strings_or_empty(spec, "cap_add"))},
                            {"CapDrop", list_or_null(strings_or_empty(spec, "cap_drop"))},
                            {"Privileged", d.privileged},
                            {"ReadonlyRootfs", d.read_only},
                            {"ShmSize", int_or(spec, "shm_size", 0)},
                            {"Init", d.init},
                            {"CgroupParent", string_or(spec, "cgroup_parent")},
                            {"Runtime", "compose"}};
    for (const auto& [key, value] : rest) out[key] = value;
    return out;
}

/// The probe's command in Docker's two forms.
json::array test_of(std::vector<std::string> command) {
    if (command.empty()) return {};
    if (command.size() == 3 && command[0] == "/bin/sh" && command[1] == "-c") return {"CMD-SHELL", command[2]};
    command.insert(command.begin(), "CMD");
    return list_of(command);
}

json::object config_of(const ContainerDetails& d) {
    const ContainerView& view = d.view;
    json::object labels;
    for (const auto& [key, value] : view.labels)
        if (key != kAutoRemoveLabel) labels[key] = value;
    json::object config{{"Hostname", d.hostname},
                        {"Domainname", d.domainname},
                        {"User", d.user},
                        {"Tty", d.terminal},
                        {"OpenStdin", d.stdin_open},
                        {"AttachStdin", d.stdin_open},
                        {"AttachStdout", true},
                        {"AttachStderr", true},
                        {"StdinOnce", d.stdin_open},
                        {"ExposedPorts", exposed_ports(d)},
                        {"Env", list_of(d.environment)},
                        {"Image", view.image},
                        {"Labels", std::move(labels)},
                        {"OnBuild", nullptr},
                        {"StopTimeout", std::chrono::duration_cast<std::chrono::seconds>(d.stop_timeout).count()}};
    if (d.health_json.empty()) return config;
    const json::value parsed = parse_json(d.health_json);
    const json::object* const health = parsed.if_object();
    if (health == nullptr) return config;
    config["Healthcheck"] = {{"Test", test_of(strings_or_empty(*health, "command"))},
                             {"Interval", int_or(*health, "interval", 0)},
                             {"Timeout", int_or(*health, "timeout", 0)},
                             {"StartPeriod", int_or(*health, "start_period", 0)},
                             {"StartInterval", int_or(*health, "start_interval", 0)},
                             {"Retries", int_or(*health, "retries", 0)}};
    return config;
}

json::object network_settings(const ContainerDetails& d) {
    json::object networks;
    const bool up = d.view.state == "running" || d.view.state == "paused";
    for (const ContainerNetwork& network : d.networks)
        networks[network.name] = {{"IPAMConfig", nullptr},
                                  {"Links", nullptr},
                                  {"Aliases", list_or_null(network.aliases)},
                                  {"MacAddress", network.mac},
                                  {"NetworkID", network.id},
                                  {"EndpointID", d.view.id},
                                  {"Gateway", up ? network.gateway : ""},
                                  {"IPAddress", up ? network.address : ""},
                                  {"IPPrefixLen", network.prefix_length},
                                  {"GlobalIPv6Address", up ? network.address6 : ""},
                                  {"GlobalIPv6PrefixLen", up ? network.prefix_length6 : 0},
                                  {"IPv6Gateway", up ? network.gateway6 : ""},
                                  {"DriverOpts", map_or_null(network.driver_options)},
                                  {"DNSNames", list_or_null(network.aliases)}};
    const auto first = d.networks.empty() || !up ? ContainerNetwork{} : d.networks.front();
    return {{"Bridge", ""},
            {"SandboxID", d.view.id},
            {"HairpinMode", false},
            {"LinkLocalIPv6Address", ""},
            {"LinkLocalIPv6PrefixLen", 0},
            {"SecondaryIPAddresses", nullptr},
            {"SecondaryIPv6Addresses", nullptr},
            {"EndpointID", d.networks.empty() ? "" : d.view.id},
            {"Ports", port_bindings(d.view)},
            {"Gateway", first.gateway},
            {"IPAddress", first.address},
            {"IPPrefixLen", first.prefix_length},
            {"GlobalIPv6Address", first.address6},
            {"GlobalIPv6PrefixLen", first.prefix_length6},
            {"IPv6Gateway", first.gateway6},
            {"MacAddress", first.mac},
            {"SandboxKey", up && d.view.pid > 0 ? fmt::format("/proc/{}/ns/net", d.view.pid) : ""},
            {"Networks", std::move(networks)}};
}

}  // namespace

json::object inspect_container(const ContainerDetails& d) {
    const ContainerView& view = d.view;
    const json::value parsed = d.spec_json.empty() ? json::value(json::object{}) : parse_json(d.spec_json);
    const json::object& spec = parsed.as_object();
    const json::value asked = d.request_json.empty() ? json::value(json::object{}) : parse_json(d.request_json);
    const json::object& request = asked.as_object();
    json::array arguments;
    for (std::size_t i = 1; i < d.command.size(); ++i) arguments.emplace_back(d.command[i]);
    return {{"Id", view.id},
            {"Created", time_of(view.created_at)},
            {"Path", d.command.empty() ? "" : d.command.front()},
            {"Args", std::move(arguments)},
            {"State", state_of(d)},
            {"Image", d.image_id},
            {"ResolvConfPath", d.folder + "/resolv.conf"},
            {"HostnamePath", d.folder + "/hostname"},
            {"HostsPath", d.folder + "/hosts"},
            {"LogPath", view.log_path},
            {"Name", "/" + view.name},
            {"RestartCount", view.restart_count},
            {"Driver", "overlay2"},
            {"Platform", "linux"},
            {"MountLabel", string_or(spec, "mount_label")},
            {"ProcessLabel", string_or(spec, "process_label")},
            {"AppArmorProfile", d.apparmor},
            {"ExecIDs", nullptr},
            {"HostConfig", over_request(request, "HostConfig", host_config(d, spec))},
            {"GraphDriver",
             {{"Data", {{"LowerDir", join(d.lower, ":")}, {"UpperDir", d.upper}, {"WorkDir", d.work}}},
              {"Name", "overlay2"}}},
            {"Mounts", mounts_of(d)},
            {"Config", over_request(request, "Config", config_of(d))},
            {"NetworkSettings", network_settings(d)}};
}

}  // namespace compose::cli
