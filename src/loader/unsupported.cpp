// The one table of what the engine can run: every attribute is either listed here or refused with its place. Only
// commands that run containers ask it; `config` prints everything.
#include <array>

#include "base/strings.hpp"
#include "loader/path_pattern.hpp"
#include "loader/schema.hpp"
#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"
#include "model/stacked_networks.hpp"

namespace compose {

namespace {

// Says what is wrong with a value that is only partly supported; empty when it is fine.
using ValueCheck = std::string (*)(const Node& value);

struct Support {
    enum class State : std::uint8_t {
        whole,    // works, with all that is below
        inside,   // works as far as its attributes do
        ignored,  // a warning: means nothing here
    };
    State state = State::whole;
    ValueCheck check = nullptr;
    const char* note = nullptr;  // why it is ignored
};

constexpr const char* kWindows = "only Windows has it";
constexpr const char* kCluster = "only clusters have it";
constexpr const char* kNoStorageSize =
    "the size of a container's own files can't be limited: it takes project quotas on the file system of the state "
    "folder, which are not made use of; mount a volume of a limited size where the files grow";

std::string is_one_of(const Node& value, const std::vector<std::string_view>& known) {
    for (const auto word : known)
        if (value.text == word) return {};
    return shown(value.text) + " is not implemented yet";
}

bool joins(const Node& value) {
    return value.text.starts_with("service:") || value.text.starts_with("container:");
}

std::string check_network_mode(const Node& value) {
    return joins(value) ? "" : is_one_of(value, {"none", "host", "bridge"});
}
std::string check_ipc(const Node& value) {
    return joins(value) ? "" : is_one_of(value, {"shareable", "private", "none", "host", ""});
}
std::string check_pid(const Node& value) {
    return joins(value) ? "" : is_one_of(value, {"host", ""});
}
std::string check_host_only(const Node& value) {
    return is_one_of(value, {"host", ""});
}
std::string check_cgroup(const Node& value) {
    return is_one_of(value, {"host", "private", ""});
}
std::string check_runtime(const Node& value) {
    return is_one_of(value, {"runc", "compose", "io.containerd.runc.v2", ""}).empty()
               ? ""
               : shown(value.text) + " is not here: containers are run by compose itself";
}
std::string check_storage(const Node& value) {
    for (const auto& entry : value.entries)
        if (entry.key != "size") return "unknown option " + shown(entry.key);
    return value.entries.empty() ? "" : kNoStorageSize;
}
std::string check_protocol(const Node& value) {
    return is_one_of(value, {"tcp", "udp"});
}
std::string check_mount_type(const Node& value) {
    return is_one_of(value, {"bind", "volume", "tmpfs", "image"});
}
std::string check_api_socket(const Node& value) {
    return value.boolean ? "there is no API socket that a container could get: compose runs without a daemon; remove "
                           "it, and let a program on the host call compose"
                         : "";
}
std::string check_network_driver(const Node& value) {
    return is_one_of(value, {"bridge", "default", "macvlan", "ipvlan"});
}
std::string check_ipam_driver(const Node& value) {
    return is_one_of(value, {"bridge", "default"});
}
std::string check_volume_driver(const Node& value) {
    return is_one_of(value, {"local", "default"});
}
std::string check_platform(const Node& value) {
#if defined(__x86_64__)
    return is_one_of(value, {"linux/amd64", "linux/x86_64"});
#elif defined(__aarch64__)
    return is_one_of(value, {"linux/arm64", "linux/arm64/v8", "linux/aarch64"});
#else
    return value.text.starts_with("linux/") ? "" : shown(value.text) + " is not this machine's platform";
#endif
}

std::string check_security_option(const Node& value) {
    auto text = value.text;
    if (const auto colon = text.find(':'); colon != std::string::npos && text.find('=') == std::string::npos)
        text[colon] = '=';
    if (text.starts_with("seccomp=") && text.size() > std::string_view("seccomp=").size()) return {};
    for (const std::string_view known : {"no-new-privileges", "no-new-privileges=true", "no-new-privileges=false",
                                         "apparmor=unconfined", "label=disable", "systempaths=unconfined",
                                         "writable-cgroups", "writable-cgroups=true", "writable-cgroups=false"})
        if (text == known) return {};
    if (text.starts_with("apparmor=") && text.size() > std::string_view("apparmor=").size())
        return {};  // whether the kernel has it is looked at when containers are made
    if (text.starts_with("label=")) return "the engine sets no SELinux labels";
    return shown(value.text) + " is not implemented yet";
}

using enum Support::State;

const PathTable<Support>& table() {
    static const PathTable<Support> rows{
        {"services.*", {inside}},
        {"services.*.annotations", {}},
        {"services.*.attach", {}},
        {"services.*.blkio_config", {}},
        {"services.*.cap_add", {}},
        {"services.*.cap_drop", {}},
        {"services.*.cgroup", {whole, check_cgroup}},
        {"services.*.cgroup_parent", {}},
        {"services.*.command", {}},
        {"services.*.configs", {}},
        {"services.*.container_name", {}},
        {"services.*.cpu_count", {ignored, nullptr, kWindows}},
        {"services.*.cpu_percent", {ignored, nullptr, kWindows}},
        {"services.*.cpu_period", {}},
        {"services.*.cpu_quota", {}},
        {"services.*.cpu_rt_period", {}},
        {"services.*.cpu_rt_runtime", {}},
        {"services.*.cpu_shares", {}},
        {"services.*.cpus", {}},
        {"services.*.cpuset", {}},
        {"services.*.credential_spec", {ignored, nullptr, kWindows}},
        {"services.*.depends_on", {}},
        {"services.*.deploy", {inside}},
        {"services.*.deploy.endpoint_mode", {ignored, nullptr, kCluster}},
        {"services.*.deploy.labels", {}},
        {"services.*.deploy.mode", {}},
        {"services.*.deploy.placement", {ignored, nullptr, kCluster}},
        {"services.*.deploy.replicas", {}},
        {"services.*.deploy.resources", {inside}},
        {"services.*.deploy.resources.limits", {inside}},
        {"services.*.deploy.resources.limits.cpus", {}},
        {"services.*.deploy.resources.limits.memory", {}},
        {"services.*.deploy.resources.limits.pids", {}},
        {"services.*.deploy.resources.reservations", {inside}},
        {"services.*.deploy.resources.reservations.devices", {}},
        {"services.*.deploy.resources.reservations.memory", {}},
        {"services.*.deploy.resources.reservations.cpus", {ignored, nullptr, kCluster}},
        {"services.*.deploy.resources.reservations.generic_resources", {ignored, nullptr, kCluster}},
        {"services.*.deploy.restart_policy", {inside}},
        {"services.*.deploy.restart_policy.condition", {}},
        {"services.*.deploy.restart_policy.delay", {}},
        {"services.*.deploy.restart_policy.max_attempts", {}},
        {"services.*.deploy.restart_policy.window", {}},
        {"services.*.deploy.rollback_config", {}},
        {"services.*.deploy.update_config", {}},
        {"services.*.develop", {}},
        {"services.*.device_cgroup_rules", {}},
        {"services.*.devices", {}},
        {"services.*.dns", {}},
        {"services.*.dns_opt", {}},
        {"services.*.dns_search", {}},
        {"services.*.domainname", {}},
        {"services.*.entrypoint", {}},
        {"services.*.env_file", {}},
        {"services.*.environment", {}},
        {"services.*.expose", {}},
        {"services.*.extends", {}},
        {"services.*.extra_hosts", {}},
        {"services.*.external_links", {}},
        {"services.*.gpus", {}},
        {"services.*.group_add", {}},
        {"services.*.healthcheck", {}},
        {"services.*.hostname", {}},
        {"services.*.image", {}},
        {"services.*.init", {}},
        {"services.*.ipc", {whole, check_ipc}},
        {"services.*.isolation", {ignored, nullptr, kWindows}},
        {"services.*.label_file", {}},
        {"services.*.labels", {}},
        {"services.*.links", {}},
        {"services.*.logging", {}},
        {"services.*.mac_address", {}},
        {"services.*.mem_limit", {}},
        {"services.*.mem_reservation", {}},
        {"services.*.mem_swappiness", {}},
        {"services.*.memswap_limit", {}},
        {"services.*.models", {}},
        {"services.*.network_mode", {whole, check_network_mode}},
        {"services.*.networks", {inside}},
        {"services.*.networks.*", {inside}},
        {"services.*.networks.*.aliases", {}},
        {"services.*.networks.*.driver_opts", {}},
        {"services.*.networks.*.gw_priority", {}},
        {"services.*.networks.*.interface_name", {}},
        {"services.*.networks.*.ipv6_address", {}},
        {"services.*.networks.*.link_local_ips", {}},
        {"services.*.networks.*.ipv4_address", {}},
        {"services.*.networks.*.mac_address", {}},
        {"services.*.networks.*.priority", {}},
        {"services.*.oom_kill_disable", {}},
        {"services.*.oom_score_adj", {}},
        {"services.*.pid", {whole, check_pid}},
        {"services.*.pids_limit", {}},
        {"services.*.platform", {whole, check_platform}},
        {"services.*.ports", {inside}},
        {"services.*.ports.[]", {inside}},
        {"services.*.ports.[].app_protocol", {}},
        {"services.*.ports.[].host_ip", {}},
        {"services.*.ports.[].mode", {}},
        {"services.*.ports.[].name", {}},
        {"services.*.ports.[].protocol", {whole, check_protocol}},
        {"services.*.ports.[].published", {}},
        {"services.*.ports.[].target", {}},
        {"services.*.post_start", {}},
        {"services.*.pre_start", {}},
        {"services.*.pre_stop", {}},
        {"services.*.privileged", {}},
        {"services.*.profiles", {}},
        {"services.*.provider", {}},
        {"services.*.pull_policy", {}},
        {"services.*.pull_refresh_after", {}},
        {"services.*.read_only", {}},
        {"services.*.restart", {}},
        {"services.*.runtime", {whole, check_runtime}},
        {"services.*.scale", {}},
        {"services.*.secrets", {}},
        {"services.*.security_opt", {inside}},
        {"services.*.security_opt.[]", {whole, check_security_option}},
        {"services.*.shm_size", {}},
        {"services.*.stdin_open", {}},
        {"services.*.stop_grace_period", {}},
        {"services.*.stop_signal", {}},
        {"services.*.storage_opt", {whole, check_storage}},
        {"services.*.sysctls", {}},
        {"services.*.tmpfs", {}},
        {"services.*.tty", {}},
        {"services.*.ulimits", {}},
        {"services.*.use_api_socket", {whole, check_api_socket}},
        {"services.*.user", {}},
        {"services.*.userns_mode", {whole, check_host_only}},
        {"services.*.uts", {whole, check_host_only}},
        {"services.*.volumes", {inside}},
        {"services.*.volumes.[]", {inside}},
        {"services.*.volumes.[].bind", {inside}},
        {"services.*.volumes.[].bind.create_host_path", {}},
        {"services.*.volumes.[].bind.propagation", {}},
        {"services.*.volumes.[].bind.recursive", {}},
        {"services.*.volumes.[].bind.selinux", {ignored, nullptr, "the engine sets no SELinux labels"}},
        {"services.*.volumes.[].consistency", {}},
        {"services.*.volumes.[].image", {}},
        {"services.*.volumes.[].read_only", {}},
        {"services.*.volumes.[].source", {}},
        {"services.*.volumes.[].target", {}},
        {"services.*.volumes.[].tmpfs", {}},
        {"services.*.volumes.[].type", {whole, check_mount_type}},
        {"services.*.volumes.[].volume", {inside}},
        {"services.*.volumes.[].volume.labels", {}},
        {"services.*.volumes.[].volume.nocopy", {}},
        {"services.*.volumes.[].volume.subpath", {}},
        {"services.*.volumes_from", {}},
        {"services.*.working_dir", {}},
        {"networks.*", {inside}},
        {"networks.*.attachable", {}},
        {"networks.*.driver", {whole, check_network_driver}},
        {"networks.*.driver_opts", {}},
        {"networks.*.enable_ipv4", {}},
        {"networks.*.enable_ipv6", {}},
        {"networks.*.external", {}},
        {"networks.*.internal", {}},
        {"networks.*.ipam", {inside}},
        {"networks.*.ipam.config", {}},
        {"networks.*.ipam.driver", {whole, check_ipam_driver}},
        {"networks.*.labels", {}},
        {"networks.*.name", {}},
        {"volumes.*", {inside}},
        {"volumes.*.driver", {whole, check_volume_driver}},
        {"volumes.*.driver_opts", {}},
        {"volumes.*.external", {}},
        {"volumes.*.labels", {}},
        {"volumes.*.name", {}},
    };
    return rows;
}

class SupportCheck {
public:
    explicit SupportCheck(Diagnostics& findings) : findings_(findings) {}

    // `node` is reached and listed as `inside`.
    void walk(const Node& node, const PathTrie::Cursor& cursor, const PathFrame& path) {
        for (const auto& entry : node.entries) {
            if (entry.key.starts_with("x-") && table().at(cursor.child(entry.key)) == nullptr) continue;
            visit(entry.key, entry.key_pos, entry.value, cursor.child(entry.key), path.child(entry.key));
        }
        const auto next = cursor.item();
        for (std::size_t i = 0; i < node.items.size(); ++i)
            visit({}, node.items[i].pos, node.items[i], next, path.item(i));
    }

    void check_build(const Node::Entry& service, const PathFrame& path) {
        const auto* build = service.value.find("build");
        if (build == nullptr || !build->is_mapping()) return;
        static constexpr std::pair<std::string_view, std::string_view> kIgnored[] = {
            {"provenance", "no attestations are made"},
            {"sbom", "no attestations are made"},
            {"isolation", "only Windows has it"},
        };
        for (const auto& [key, why] : kIgnored)
            if (const auto* value = build->find(key); value != nullptr && value->text != "false")
                findings_.warning(key_pos_of(*build, key), to_string(path) + ".build",
                                  fmt::format("{} is ignored: {}", key, why), "remove it");
    }

    void check_host_ports(const Node::Entry& service, const PathFrame& path) {
        if (text_of(service.value, "network_mode") == "host" && service.value.find("ports") != nullptr)
            findings_.warning(key_pos_of(service.value, "ports"), to_string(path),
                              "ports mean nothing with network_mode: host", "remove ports");
    }

    // As Docker's bridge, the engine looks for two keys only.
    void check_endpoint_options(const Node::Entry& service, const PathFrame& path) {
        for (const auto& network : child_or_empty(service.value, "networks").entries) {
            if (!network.value.is_mapping()) continue;
            for (const auto& option : child_or_empty(network.value, "driver_opts").entries)
                if (option.key != "com.docker.network.endpoint.ifname" &&
                    option.key != "com.docker.network.endpoint.sysctls")
                    findings_.warning(option.key_pos, to_string(path) + ".networks." + network.key + ".driver_opts",
                                      fmt::format("{} is ignored: no driver knows it", shown(option.key)), "remove it");
        }
    }

    // What stands on an interface of the host's is reached at its own address.
    void check_stacked_ports(const Node& networks, const Node::Entry& service, const PathFrame& path) {
        const auto* ports = service.value.find("ports");
        const auto& own = child_or_empty(service.value, "networks").entries;
        if (ports == nullptr || ports->items.empty() || own.empty()) return;
        for (const auto& network : own) {
            const auto* definition = networks.is_mapping() ? networks.find(network.key) : nullptr;
            const auto driver =
                definition != nullptr && definition->is_mapping() ? text_of(*definition, "driver") : std::string();
            if (!is_stacked_driver(driver)) return;
        }
        findings_.warning(key_pos_of(service.value, "ports"), to_string(path),
                          "ports are not published: all networks are macvlan or ipvlan",
                          "remove ports, or add a bridge network; the container is reached at its own address");
    }

    void check_job(const Node::Entry& service, const PathFrame& path) {
        const Node& deploy = child_or_empty(service.value, "deploy");
        if (!text_of(deploy, "mode").ends_with("-job")) return;
        const Node& policy = child_or_empty(deploy, "restart_policy");
        const Node* const how = policy.is_mapping() ? policy.find("condition") : service.value.find("restart");
        if (how == nullptr || (how->text != "any" && how->text != "always" && how->text != "unless-stopped")) return;
        findings_.error(how->pos, to_string(path),
                        fmt::format("a job is not started again once it is done, but {} asks for that", how->text),
                        "use on-failure, or leave it out");
    }

private:
    void visit(std::string_view key, SourcePos pos, const Node& value, const PathTrie::Cursor& cursor,
               const PathFrame& path) {
        if (key == "build" && path.parent != nullptr && path.parent->parent != nullptr &&
            path.parent->parent->key == "services")
            return;  // check_build says what of it is not done
        const auto* support = table().at(cursor);
        if (support == nullptr) {
            findings_.error(pos, to_string(*path.parent), shown(key) + " is not implemented yet",
                            "remove it to run this project");
        } else if (support->state == ignored) {
            findings_.warning(pos, to_string(*path.parent), fmt::format("{} is ignored: {}", key, support->note),
                              "remove it");
        } else {
            if (support->check != nullptr)
                if (const auto wrong = support->check(value); !wrong.empty())
                    findings_.error(value.pos, to_string(path), wrong);
            if (support->state == inside) walk(value, cursor, path);
        }
    }

    Diagnostics& findings_;
};

}  // namespace

void check_supported(const Node& root, Diagnostics& findings) {
    SupportCheck check(findings);
    const PathFrame top;
    const auto cursor = table().root();
    for (const char* section : {"services", "networks", "volumes"})
        check.walk(child_or_empty(root, section), cursor.child(section), top.child(section));
    const auto services = top.child("services");
    for (const auto& entry : child_or_empty(root, "services").entries) {
        check.check_build(entry, services.child(entry.key));
        check.check_host_ports(entry, services.child(entry.key));
        check.check_endpoint_options(entry, services.child(entry.key));
        check.check_stacked_ports(child_or_empty(root, "networks"), entry, services.child(entry.key));
        check.check_job(entry, services.child(entry.key));
    }
}

}  // namespace compose
