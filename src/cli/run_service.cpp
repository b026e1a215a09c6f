#include "cli/run_service.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/flag_values.hpp"

namespace compose::cli {

namespace {

constexpr std::int64_t kHuge = INT64_MAX / 4;

/// One function per group of flags; each reads its own.
class Builder {
public:
    Builder(const RunFlags& flags, const RunSurroundings& around) : flags_(flags), around_(around) {
        service_.name = Standalone::kService;
        service_.image = flags.image;
    }

    Standalone build() {
        if (flags_.image.empty()) throw make_error(ErrorKind::usage, "the image's name is empty");
        process();
        environment();
        labels();
        health();
        mounts();
        devices();
        network();
        limits();
        block_limits();
        isolation();
        life();
        Project& project = result_.project;
        project.services.emplace(Standalone::kService, std::move(service_));
        return std::move(result_);
    }

private:
    template <class Function>
    void with(const char* name, const Function& use) {
        if (const auto& text = flags_.value(name)) use(*text);
    }
    template <class Function>
    void each(const char* name, const Function& use) {
        for (const auto& text : flags_.list(name)) use(text);
    }
    void copy(const char* name, std::string& target) {
        if (const auto& text = flags_.value(name)) target = *text;
    }
    void only(const char* name, std::initializer_list<std::string_view> known) {
        const auto& text = flags_.value(name);
        if (!text || text->empty() || std::find(known.begin(), known.end(), *text) != known.end()) return;
        bad_flag("--" + std::string(name), *text,
                 "only " + join(std::vector<std::string>(known.begin(), known.end()), ", ") + " is supported");
    }
    [[noreturn]] static void refuse(const char* what) {
        throw make_error(ErrorKind::usage, "conflicting options: {}", what);
    }

    void process() {
        if (!flags_.command.empty()) service_.command = flags_.command;
        with("entrypoint", [&](const std::string& text) {
            service_.entrypoint = text.empty() ? std::vector<std::string>{} : std::vector<std::string>{text};
        });
        copy("user", service_.user);
        with("workdir", [&](const std::string& text) {
            if (text.empty() || text.front() != '/') bad_flag("-w", text, "it must be an absolute path");
            service_.working_dir = text;
        });
        copy("hostname", service_.hostname);
        copy("domainname", service_.domainname);
        service_.init = flags_.on("init");
        service_.tty = flags_.on("tty");
        service_.stdin_open = flags_.on("interactive");
        service_.group_add = flags_.list("group-add");
        copy("stop-signal", service_.stop_signal);
        with("stop-timeout", [&](const std::string& text) {
            service_.stop_grace_period = std::chrono::seconds(whole_flag("--stop-timeout", text, -1, 1'000'000'000));
        });
        copy("platform", service_.platform);
        only("runtime", {"runc", "io.containerd.runc.v2"});
        only("isolation", {"default"});
        if (!flags_.on("disable-content-trust"))
            bad_flag("--disable-content-trust", "false", "signatures of images are not checked");
    }

    void environment() {
        const auto take = [&](std::string_view flag, const std::string& text) {
            if (const auto pair = environment_flag(flag, text, around_.environment))
                service_.environment[pair->first] = pair->second;
        };
        each("env-file", [&](const std::string& file) {
            for (const auto& line : file_lines("--env-file", file, around_.read_file(file))) take("--env-file", line);
        });
        each("env", [&](const std::string& text) { take("-e", text); });
    }

    void labels() {
        const auto take = [&](std::string_view flag, const std::string& text) {
            auto [key, value] = pair_flag(flag, text, true);
            if (key.starts_with("com.docker.compose."))
                bad_flag(flag, text, "labels that begin with com.docker.compose. are reserved");
            service_.labels[key] = value;
        };
        each("label-file", [&](const std::string& file) {
            for (const auto& line : file_lines("--label-file", file, around_.read_file(file)))
                take("--label-file", line);
        });
        each("label", [&](const std::string& text) { take("-l", text); });
        each("annotation", [&](const std::string& text) {
            const auto [key, value] = pair_flag("--annotation", text);
            service_.annotations[key] = value;
        });
    }

    void health() {
        Healthcheck check;
        bool any = false;
        const auto duration = [&](const char* name, std::optional<Nanoseconds>& target) {
            with(name, [&](const std::string& text) {
                target = duration_flag("--" + std::string(name), text);
                any = true;
            });
        };
        with("health-cmd", [&](const std::string& text) {
            any = true;
            if (!text.empty()) check.test = {"CMD-SHELL", text};
        });
        duration("health-interval", check.interval);
        duration("health-timeout", check.timeout);
        duration("health-start-period", check.start_period);
        duration("health-start-interval", check.start_interval);
        with("health-retries", [&](const std::string& text) {
            check.retries = static_cast<int>(whole_flag("--health-retries", text, 0, 1'000'000));
            any = true;
        });
        if (flags_.on("no-healthcheck")) {
            if (any) refuse("--no-healthcheck and --health-* exclude each other");
            check.disabled = any = true;
        }
        if (any) service_.healthcheck = std::move(check);
    }

    void mounts() {
        std::set<std::string> targets;
        const auto add = [&](Mount mount) {
            while (mount.target.size() > 1 && mount.target.back() == '/') mount.target.pop_back();
            if (!targets.insert(mount.target).second)
                throw make_error(ErrorKind::usage, "duplicate mount point: {}", mount.target);
            service_.mounts.push_back(std::move(mount));
        };
        const auto home = around_.environment.find("HOME");
        const auto take = [&](Mount mount, VolumeWish wish) {
            if (mount.type == Mount::Type::volume && !mount.source.empty()) {
                wish.driver = wish.driver.empty() ? flags_.value("volume-driver").value_or("") : wish.driver;
                add_volume(mount.source, std::move(wish));
            }
            add(std::move(mount));
        };
        only("volume-driver", {"local"});
        each("volume", [&](const std::string& text) {
            take(volume_flag(text, around_.working_dir, home == around_.environment.end() ? "" : home->second), {});
        });
        each("mount", [&](const std::string& text) {
            VolumeWish wish;
            auto mount = mount_flag(text, around_.working_dir, wish);
            take(std::move(mount), std::move(wish));
        });
        each("tmpfs", [&](const std::string& text) { add(tmpfs_flag(text)); });
        each("volumes-from", [&](const std::string& text) {
            const auto colon = text.find(':');
            if (text.empty() || colon == 0) bad_flag("--volumes-from", text, "the container's name is missing");
            const auto mode = colon == std::string::npos ? "" : text.substr(colon + 1);
            if (!mode.empty() && mode != "ro" && mode != "rw")
                bad_flag("--volumes-from", text, "only ro or rw can follow the name");
            service_.volumes_from.push_back("container:" + text);
        });
        service_.read_only = flags_.on("read-only");
        each("storage-opt", [&](const std::string& text) {
            const auto [key, value] = storage_flag(text);
            service_.storage_opt.insert_or_assign(key, value);
        });
    }

    void add_volume(const std::string& name, VolumeWish wish) {
        Volume volume;
        volume.key = volume.name = name;
        volume.external = true;
        result_.project.volumes.insert_or_assign(name, std::move(volume));
        result_.volumes.insert_or_assign(name, std::move(wish));
    }

    void devices() {
        each("device", [&](const std::string& text) { service_.devices.push_back(device_flag(text)); });
        service_.device_cgroup_rules = flags_.list("device-cgroup-rule");
        with("gpus", [&](const std::string& text) { service_.gpus.push_back(gpus_flag(text)); });
    }

    void network() {
        for (const auto& text : flags_.list("network")) attach(network_flag(text));
        if (service_.network_mode.empty() && service_.networks.empty()) attach(network_flag(kDefaultNetwork));
        if (!service_.network_mode.empty() && !service_.networks.empty())
            refuse("host, none and container:NAME can't be combined with other networks");
        own_addresses();
        each("publish", [&](const std::string& text) {
            for (auto& port : publish_flag(text)) service_.ports.push_back(std::move(port));
        });
        each("expose", [&](const std::string& text) { service_.expose.push_back(expose_flag(text)); });
        each("link", [&](const std::string& text) {
            (void)link_flag(text);
            service_.external_links.push_back(text);
        });
        each("add-host", [&](const std::string& text) {
            const auto [name, address] = host_flag(text);
            service_.extra_hosts[name].push_back(address);
        });
        service_.dns = flags_.list("dns");
        service_.dns_opt = flags_.list("dns-option");
        service_.dns_search = flags_.list("dns-search");
        check_mode();
    }

    void attach(NetworkAttachment attachment) {
        auto& name = attachment.network;
        if (name == "default") name = kDefaultNetwork;
        if (name == "host" || name == "none" || name.starts_with("container:")) {
            if (!service_.network_mode.empty()) refuse("--network is given twice");
            if (name == "container:") bad_flag("--network", name, "the container's name is missing");
            service_.network_mode = name;
            return;
        }
        if (!is_object_name(name)) bad_flag("--network", name, "not a network's name");
        for (const auto& other : service_.networks)
            if (other.network == name) bad_flag("--network", name, "it is given twice");
        Network network;
        network.key = network.name = name;
        network.external = true;
        result_.project.networks.insert_or_assign(name, std::move(network));
        service_.networks.push_back(std::move(attachment));
    }

    /// --ip, --network-alias and the like belong to the first network.
    void own_addresses() {
        const bool any = flags_.value("ip") || flags_.value("ip6") || flags_.value("mac-address") ||
                         !flags_.list("network-alias").empty() || !flags_.list("link-local-ip").empty();
        if (any && service_.networks.empty())
            refuse("addresses and aliases need a network, which host, none and container:NAME are not");
        if (service_.networks.empty()) return;
        auto& first = service_.networks.front();
        first.aliases.insert(first.aliases.end(), flags_.list("network-alias").begin(),
                             flags_.list("network-alias").end());
        copy("ip", first.ipv4_address);
        copy("ip6", first.ipv6_address);
        copy("mac-address", first.mac_address);
        each("link-local-ip", [&](const std::string& text) { first.link_local_ips.push_back(text); });
        for (const auto& attachment : service_.networks) {
            if (attachment.network != kDefaultNetwork) continue;
            if (!attachment.aliases.empty())
                throw make_error(ErrorKind::usage, "the network bridge has no names, so no aliases")
                    .with_hint("make a network of your own: network create NAME");
            if (!attachment.ipv4_address.empty() || !attachment.ipv6_address.empty())
                throw make_error(ErrorKind::usage, "only networks of your own take addresses, not bridge")
                    .with_hint("make one: network create --subnet 10.5.0.0/16 NAME");
        }
    }

    void check_mode() {
        const auto& mode = service_.network_mode;
        if (mode.starts_with("container:")) {
            if (!service_.hostname.empty()) refuse("a host name and --network container:NAME");
            if (!service_.ports.empty() || flags_.on("publish-all") || !service_.expose.empty())
                refuse("ports and --network container:NAME; publish them at that container");
            if (!service_.dns.empty() || !service_.extra_hosts.empty())
                refuse("--dns, --add-host and --network container:NAME");
        } else if (mode == "host" && (!service_.ports.empty() || flags_.on("publish-all"))) {
            result_.warnings.emplace_back("published ports are discarded when the host's network is used");
            service_.ports.clear();
        }
    }

    void limits() {
        auto& limits = service_.limits;
        const auto whole = [&](const char* name, auto& target, std::int64_t least, std::int64_t most) {
            with(name, [&](const std::string& text) {
                using Number = typename std::remove_reference_t<decltype(target)>::value_type;
                target = static_cast<Number>(whole_flag("--" + std::string(name), text, least, most));
            });
        };
        const auto bytes = [&](const char* name, std::optional<std::int64_t>& target, bool unlimited) {
            with(name, [&](const std::string& text) {
                target = unlimited && text == "-1" ? -1 : bytes_flag("--" + std::string(name), text);
            });
        };
        bytes("memory", service_.mem_limit, false);
        bytes("memory-swap", limits.memswap_limit, true);
        bytes("memory-reservation", limits.mem_reservation, false);
        bytes("shm-size", service_.shm_size, false);
        whole("memory-swappiness", limits.mem_swappiness, 0, 100);
        with("cpus", [&](const std::string& text) { service_.cpus = cpus_flag(text); });
        whole("cpu-shares", limits.cpu_shares, 0, 262'144);
        whole("cpu-quota", limits.cpu_quota, -1, kHuge);
        whole("cpu-period", limits.cpu_period, 1000, 1'000'000);
        whole("cpu-rt-runtime", limits.cpu_rt_runtime, 0, kHuge);
        whole("cpu-rt-period", limits.cpu_rt_period, 0, kHuge);
        if (service_.cpus && (limits.cpu_quota || limits.cpu_period)) refuse("--cpus and --cpu-quota or --cpu-period");
        copy("cpuset-cpus", limits.cpuset);
        copy("cpuset-mems", limits.cpuset_mems);
        whole("pids-limit", service_.pids_limit, -1, kHuge);
        whole("oom-score-adj", limits.oom_score_adj, -1000, 1000);
        limits.oom_kill_disable = flags_.on("oom-kill-disable");
        each("ulimit", [&](const std::string& text) {
            service_.ulimits.insert_or_assign(ulimit_flag(text).first, ulimit_flag(text).second);
        });
        if (limits.memswap_limit && *limits.memswap_limit > 0 && service_.mem_limit &&
            *limits.memswap_limit < *service_.mem_limit)
            throw make_error(ErrorKind::usage, "--memory-swap is memory and swap together: it can't be below --memory");
        if (limits.memswap_limit && !service_.mem_limit && *limits.memswap_limit > 0)
            throw make_error(ErrorKind::usage, "--memory-swap needs --memory");
    }

    void block_limits() {
        auto& limits = service_.limits;
        with("blkio-weight", [&](const std::string& text) {
            limits.blkio_weight = static_cast<int>(whole_flag("--blkio-weight", text, 10, 1000));
        });
        const auto rates = [&](const char* name, std::vector<Limits::DeviceRate>& target, bool bytes) {
            each(name,
                 [&](const std::string& text) { target.push_back(rate_flag("--" + std::string(name), text, bytes)); });
        };
        rates("blkio-weight-device", limits.blkio_weight_device, false);
        rates("device-read-bps", limits.device_read_bps, true);
        rates("device-write-bps", limits.device_write_bps, true);
        rates("device-read-iops", limits.device_read_iops, false);
        rates("device-write-iops", limits.device_write_iops, false);
    }

    void isolation() {
        service_.privileged = flags_.on("privileged");
        service_.use_api_socket = flags_.on("use-api-socket");
        service_.cap_add = flags_.list("cap-add");
        service_.cap_drop = flags_.list("cap-drop");
        service_.security_opt = flags_.list("security-opt");
        only("userns", {"host"});
        copy("userns", service_.userns_mode);
        copy("ipc", service_.ipc);
        copy("pid", service_.pid);
        only("uts", {"host"});
        copy("uts", service_.uts);
        only("cgroupns", {"host", "private"});
        copy("cgroupns", service_.cgroup);
        copy("cgroup-parent", service_.cgroup_parent);
        each("sysctl", [&](const std::string& text) { service_.sysctls.insert(pair_flag("--sysctl", text)); });
        joined("--ipc", service_.ipc, {"", "private", "host", "shareable", "none"});
        joined("--pid", service_.pid, {"", "host"});
    }

    static void joined(std::string_view flag, const std::string& mode, const std::set<std::string_view>& known) {
        if (known.contains(mode) || (mode.starts_with("container:") && mode.size() > 10)) return;
        bad_flag(flag, mode, "unknown mode");
    }

    void life() {
        if (const auto& name = flags_.value("name")) {
            if (!is_object_name(*name) || name->size() < 2)
                bad_flag("--name", *name,
                         "two or more letters, digits, \"_\", \".\" or \"-\", and the first one a letter or digit");
            service_.container_name = *name;
        }
        with("restart", [&](const std::string& text) { service_.restart = restart_flag(text); });
        if (flags_.on("rm") && service_.restart.kind != RestartPolicy::Kind::no) refuse("--restart and --rm");
        const auto& driver = flags_.value("log-driver");
        if (driver || !flags_.list("log-opt").empty()) {
            service_.logging.emplace();
            service_.logging->driver = driver.value_or("");
            each("log-opt",
                 [&](const std::string& text) { service_.logging->options.insert(pair_flag("--log-opt", text)); });
        }
        only("pull", {"always", "missing", "never"});
    }

    const RunFlags& flags_;
    const RunSurroundings& around_;
    Service service_;
    Standalone result_;
};

}  // namespace

Standalone make_standalone(const RunFlags& flags, const RunSurroundings& around) {
    return Builder(flags, around).build();
}

}  // namespace compose::cli
