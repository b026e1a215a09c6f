#include "cli/generated_service.hpp"

#include <algorithm>
#include <chrono>

#include "base/ids.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"

namespace compose::cli {

namespace {

constexpr std::int64_t kDefaultShm = std::int64_t{64} << 20U;
constexpr std::int64_t kDefaultPids = 2048;
constexpr std::int64_t kDefaultGrace = 10;
constexpr std::string_view kOwnLabels[] = {"com.docker.compose.", "desktop.docker.io"};

const json::object& part(const json::object& object, std::string_view name) {
    static const json::object nothing;
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : nothing;
}

json::array part_list(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : json::array{};
}

bool is_empty(const json::value& value) {
    if (value.is_null()) return true;
    if (const auto* text = value.if_string()) return text->empty();
    if (const auto* list = value.if_array()) return list->empty();
    if (const auto* map = value.if_object()) return map->empty();
    if (const auto* truth = value.if_bool()) return !*truth;
    return value.is_number() && value.to_number<double>() == 0;
}

/// Whose values mean the same in both, where they are not what they are without a word.
struct Same {
    const char* docker;
    const char* compose;
    const char* usual = "";
};
constexpr Same kOfConfig[] = {
    {"Domainname", "domainname"}, {"Tty", "tty"}, {"OpenStdin", "stdin_open"}, {"MacAddress", "mac_address"}};
constexpr Same kOfHost[] = {{"CapAdd", "cap_add"},
                            {"CapDrop", "cap_drop"},
                            {"GroupAdd", "group_add"},
                            {"Dns", "dns"},
                            {"DnsOptions", "dns_opt"},
                            {"DnsSearch", "dns_search"},
                            {"ExtraHosts", "extra_hosts"},
                            {"SecurityOpt", "security_opt"},
                            {"DeviceCgroupRules", "device_cgroup_rules"},
                            {"Sysctls", "sysctls"},
                            {"StorageOpt", "storage_opt"},
                            {"Annotations", "annotations"},
                            {"Privileged", "privileged"},
                            {"ReadonlyRootfs", "read_only"},
                            {"Init", "init"},
                            {"PidMode", "pid"},
                            {"UTSMode", "uts"},
                            {"UsernsMode", "userns_mode"},
                            {"IpcMode", "ipc", "private"},
                            {"CgroupnsMode", "cgroup", "private"},
                            {"Memory", "mem_limit"},
                            {"MemoryReservation", "mem_reservation"},
                            {"MemorySwappiness", "mem_swappiness"},
                            {"CpuShares", "cpu_shares"},
                            {"CpuQuota", "cpu_quota"},
                            {"CpuPeriod", "cpu_period"},
                            {"CpuRealtimeRuntime", "cpu_rt_runtime"},
                            {"CpuRealtimePeriod", "cpu_rt_period"},
                            {"CpusetCpus", "cpuset"},
                            {"OomKillDisable", "oom_kill_disable"},
                            {"OomScoreAdj", "oom_score_adj"}};

class Translator {
public:
    Translator(const json::object& container, const json::object& image, const std::string& folder)
        : container_(container),
          config_(part(container, "Config")),
          host_(part(container, "HostConfig")),
          image_(part(image, "config")),
          folder_(folder) {}

    GeneratedService translate() {
        name();
        out_.service["image"] = string_or(config_, "Image");
        for (const auto& row : kOfConfig) copy(config_, row);
        for (const auto& row : kOfHost) copy(host_, row);
        process();
        environment();
        labels();
        health();
        limits();
        life();
        mounts();
        ports();
        networks();
        return std::move(out_);
    }

private:
    void copy(const json::object& from, const Same& row) {
        const auto* value = from.if_contains(row.docker);
        if (value == nullptr || is_empty(*value)) return;
        if (value->is_string() && value->get_string() == row.usual) return;
        out_.service[row.compose] = *value;
    }

    void name() {
        const auto container = string_or(container_, "Name");
        const auto service = string_or(part(config_, "Labels"), "com.docker.compose.service");
        out_.name = service.empty() ? container.substr(container.starts_with('/') ? 1 : 0) : service;
    }

    void process() {
        for (const auto& [docker, compose] : {std::pair{"Entrypoint", "entrypoint"}, {"Cmd", "command"}}) {
            const auto own = strings_or_empty(config_, docker);
            if (own != strings_or_empty(image_, docker)) out_.service[compose] = json::value_from(own);
        }
        for (const auto& [docker, compose] :
             {std::pair{"WorkingDir", "working_dir"}, {"User", "user"}, {"StopSignal", "stop_signal"}}) {
            const auto own = string_or(config_, docker);
            if (!own.empty() && own != string_or(image_, docker)) out_.service[compose] = own;
        }
        // A host name that is made of the id, or the host's own, is nobody's wish.
        const auto host = string_or(config_, "Hostname");
        const bool of_host = string_or(host_, "UTSMode") == "host" || string_or(host_, "NetworkMode") == "host";
        if (!host.empty() && !of_host && !string_or(container_, "Id").starts_with(host))
            out_.service["hostname"] = host;
    }

    void environment() {
        const auto of_image = strings_or_empty(image_, "Env");
        json::object out;
        for (const auto& pair : strings_or_empty(config_, "Env")) {
            if (std::find(of_image.begin(), of_image.end(), pair) != of_image.end()) continue;
            const auto equals = pair.find('=');
            if (equals != std::string::npos) out[pair.substr(0, equals)] = pair.substr(equals + 1);
        }
        if (!out.empty()) out_.service["environment"] = std::move(out);
    }

    void labels() {
        const auto& of_image = part(image_, "Labels");
        json::object out;
        for (const auto& [key, value] : part(config_, "Labels")) {
            const std::string_view name = key;
            const bool own = std::any_of(std::begin(kOwnLabels), std::end(kOwnLabels),
                                         [&](std::string_view prefix) { return name.starts_with(prefix); });
            const auto* known = of_image.if_contains(key);
            if (!own && (known == nullptr || *known != value)) out[key] = value;
        }
        if (!out.empty()) out_.service["labels"] = std::move(out);
    }

    void health() {
        const auto& own = part(config_, "Healthcheck");
        const auto test = strings_or_empty(own, "Test");
        if (test.empty() || test == strings_or_empty(part(image_, "Healthcheck"), "Test")) return;
        json::object out{{"test", json::value_from(test)}};
        for (const auto& [docker, compose] : {std::pair{"Interval", "interval"},
                                              {"Timeout", "timeout"},
                                              {"StartPeriod", "start_period"},
                                              {"StartInterval", "start_interval"}}) {
            if (!out.contains("start_period") && std::string_view(compose) == "start_interval") continue;
            if (const auto value = int_or(own, docker, 0); value > 0) out[compose] = format_duration(Duration(value));
        }
        if (const auto retries = int_or(own, "Retries", 0); retries > 0) out["retries"] = retries;
        out_.service["healthcheck"] = std::move(out);
    }

    void limits() {
        if (const auto nano = int_or(host_, "NanoCpus", 0); nano > 0)
            out_.service["cpus"] = static_cast<double>(nano) / 1e9;
        if (const auto bytes = int_or(host_, "ShmSize", 0); bytes > 0 && bytes != kDefaultShm)
            out_.service["shm_size"] = bytes;
        if (const auto pids = int_or(host_, "PidsLimit", 0); pids != 0 && pids != kDefaultPids)
            out_.service["pids_limit"] = pids;
        if (const auto weight = int_or(host_, "BlkioWeight", 0); weight > 0)
            out_.service["blkio_config"] = {{"weight", weight}};
        // As much swap as memory is what Docker says where nobody did.
        const auto swap = int_or(host_, "MemorySwap", 0);
        if (swap != 0 && swap != 2 * int_or(host_, "Memory", 0)) out_.service["memswap_limit"] = swap;
        json::object ulimits;
        for (const auto& item : part_list(host_, "Ulimits"))
            if (const auto* limit = item.if_object())
                ulimits[string_or(*limit, "Name")] = {{"soft", int_or(*limit, "Soft", 0)},
                                                      {"hard", int_or(*limit, "Hard", 0)}};
        if (!ulimits.empty()) out_.service["ulimits"] = std::move(ulimits);
        json::array devices;
        for (const auto& item : part_list(host_, "Devices"))
            if (const auto* device = item.if_object())
                devices.emplace_back(fmt::format("{}:{}:{}", string_or(*device, "PathOnHost"),
                                                 string_or(*device, "PathInContainer"),
                                                 string_or(*device, "CgroupPermissions", "rwm")));
        if (!devices.empty()) out_.service["devices"] = std::move(devices);
    }

    void life() {
        const auto& policy = part(host_, "RestartPolicy");
        if (auto restart = string_or(policy, "Name"); !restart.empty() && restart != "no") {
            if (const auto most = int_or(policy, "MaximumRetryCount", 0); most > 0) restart += fmt::format(":{}", most);
            out_.service["restart"] = restart;
        }
        const auto grace = int_or(config_, "StopTimeout", kDefaultGrace);
        if (grace != kDefaultGrace) out_.service["stop_grace_period"] = format_duration(std::chrono::seconds(grace));
        const auto& log = part(host_, "LogConfig");
        const auto driver = string_or(log, "Type");
        const auto& options = part(log, "Config");
        if (driver.empty() || (driver == "json-file" && options.empty())) return;
        json::object logging{{"driver", driver}};
        if (!options.empty()) logging["options"] = options;
        out_.service["logging"] = std::move(logging);
    }

    [[nodiscard]] std::string host_path(const std::string& path) const {
        if (folder_.empty() || (path != folder_ && !path.starts_with(folder_ + "/"))) return path;
        return "." + path.substr(folder_.size());
    }

    void mounts() {
        json::array out;
        for (const auto& item : part_list(container_, "Mounts")) {
            const auto* mount = item.if_object();
            if (mount == nullptr) continue;
            const auto type = string_or(*mount, "Type"), source = string_or(*mount, "Source");
            const auto target = string_or(*mount, "Destination");
            json::object entry{{"type", type}, {"target", target}};
            if (type == "volume") {
                const auto name = string_or(*mount, "Name");
                if (!part(config_, "Volumes").contains(target)) {
                    entry["source"] = name;
                    out_.volumes.insert(name);
                }
                put_volume_options(target, entry);
            } else if (type == "bind") {
                if (source.find("/" + string_or(container_, "Id") + "/") != std::string::npos) {
                    out_.unknown.push_back(target);
                    continue;
                }
                entry["source"] = host_path(source);
            } else {
                continue;
            }
            if (!bool_or(*mount, "RW", true)) entry["read_only"] = true;
            out.push_back(std::move(entry));
        }
        if (!out.empty()) out_.service["volumes"] = std::move(out);
        json::array memory;
        for (const auto& [target, options] : part(host_, "Tmpfs")) {
            const std::string text = options.is_string() ? std::string(options.get_string()) : "";
            memory.emplace_back(std::string(target) + (text.empty() ? "" : ":" + text));
        }
        if (!memory.empty()) out_.service["tmpfs"] = std::move(memory);
    }

    void put_volume_options(const std::string& target, json::object& entry) const {
        json::object options;
        for (const auto& item : part_list(host_, "Mounts")) {
            const auto* asked = item.if_object();
            if (asked == nullptr || string_or(*asked, "Target") != target) continue;
            const auto& known = part(*asked, "VolumeOptions");
            if (const auto subpath = string_or(known, "Subpath"); !subpath.empty()) options["subpath"] = subpath;
            if (bool_or(known, "NoCopy", false)) options["nocopy"] = true;
        }
        if (!options.empty()) entry["volume"] = std::move(options);
    }

    void ports() {
        json::array published, exposed;
        const auto& bindings = part(host_, "PortBindings");
        for (const auto& [key, hosts] : bindings) {
            const auto words = split(std::string(key), '/');
            const json::array list = hosts.is_array() ? hosts.get_array() : json::array{};
            for (const auto& item : list) {
                const auto* host = item.if_object();
                if (host == nullptr) continue;
                json::object port{{"target", parse_port(words[0])}, {"protocol", words.size() > 1 ? words[1] : "tcp"}};
                if (const auto first = string_or(*host, "HostPort"); !first.empty()) port["published"] = first;
                if (const auto address = string_or(*host, "HostIp"); !address.empty()) port["host_ip"] = address;
                published.push_back(std::move(port));
            }
        }
        for (const auto& [key, nothing] : part(config_, "ExposedPorts"))
            if (!bindings.contains(key) && !part(image_, "ExposedPorts").contains(key)) exposed.emplace_back(key);
        if (!published.empty()) out_.service["ports"] = std::move(published);
        if (!exposed.empty()) out_.service["expose"] = std::move(exposed);
    }

    static std::int64_t parse_port(const std::string& text) {
        std::int64_t value = 0;
        for (const char c : text)
            if (c >= '0' && c <= '9' && value < 100'000) value = value * 10 + (c - '0');
        return value;
    }

    void networks() {
        const auto mode = string_or(host_, "NetworkMode");
        const auto& known = part(part(container_, "NetworkSettings"), "Networks");
        if (known.empty() || (known.size() == 1 && known.contains("bridge"))) {
            if (!mode.empty()) out_.service["network_mode"] = known.empty() ? mode : "bridge";
            return;
        }
        const auto container = string_or(container_, "Name").substr(1);
        json::object out;
        for (const auto& [key, value] : known) {
            const std::string network = key;
            json::array aliases;
            const auto* endpoint = value.if_object();
            for (const auto& alias :
                 endpoint == nullptr ? std::vector<std::string>{} : strings_or_empty(*endpoint, "Aliases"))
                if (alias != out_.name && alias != container && !string_or(container_, "Id").starts_with(alias))
                    aliases.emplace_back(alias);
            out[network] = aliases.empty() ? json::value(nullptr) : json::object{{"aliases", std::move(aliases)}};
            out_.networks.insert(network);
        }
        out_.service["networks"] = std::move(out);
    }

    const json::object& container_;
    const json::object& config_;
    const json::object& host_;
    const json::object& image_;
    const std::string& folder_;
    GeneratedService out_;
};

}  // namespace

GeneratedService generated_service(const json::object& container, const json::object& image,
                                   const std::string& folder) {
    return Translator(container, image, folder).translate();
}

}  // namespace compose::cli
