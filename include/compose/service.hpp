// A service after loading: typed, canonical, long forms only. Plain values; nothing here changes after load_project().
#pragma once

#include <chrono>
#include <compose/diagnostics.hpp>
#include <compose/service_parts.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose {

struct Healthcheck {
    bool disabled = false;                // `disable: true` or test NONE
    std::vector<std::string> test;        // first word CMD or CMD-SHELL; empty: the image's
    std::optional<Nanoseconds> interval;  // unset values: the image's, else Docker's defaults
    std::optional<Nanoseconds> timeout;
    std::optional<Nanoseconds> start_period;
    std::optional<Nanoseconds> start_interval;
    std::optional<int> retries;
};

struct Port {
    std::string host_ip;                // empty: all host addresses
    std::uint16_t published_first = 0;  // 0: any free port
    std::uint16_t published_last = 0;   // equal to first unless a range to pick from
    bool published = false;             // false: a container port without a host port was given ("8080")
    std::uint16_t target = 0;
    std::string protocol = "tcp";  // tcp or udp
    std::string name;
    std::string app_protocol;
    std::string mode = "ingress";
    SourcePos pos;
};

struct Mount {
    enum class Type { bind, volume, tmpfs, image };
    Type type = Type::volume;
    std::string source;  // bind: absolute host path; volume: key of Project::volumes, empty when anonymous
    std::string target;  // absolute path in the container
    bool read_only = false;
    std::string propagation;                    // bind: rprivate (default), private, rshared, shared, rslave, slave
    bool create_host_path = false;              // bind
    std::string selinux;                        // bind: "z", its files become all containers'; "Z", this one's alone
    bool long_form = false;                     // asked for with --mount, not -v: inspect shows the two apart
    std::string recursive;                      // bind: enabled (default), disabled, writable, readonly
    bool nocopy = false;                        // volume
    std::string subpath;                        // volume, image
    std::map<std::string, std::string> labels;  // volume: of one that is made for it
    std::optional<std::int64_t> tmpfs_size;
    std::optional<unsigned> tmpfs_mode;
    std::string tmpfs_options;  // of the short `tmpfs:` attribute: "size=64m,noexec"
    SourcePos pos;
};

struct NetworkAttachment {
    std::string network;  // key of Project::networks
    std::vector<std::string> aliases;
    std::string ipv4_address;
    std::string ipv6_address;
    std::string mac_address;
    std::string interface_name;
    std::map<std::string, std::string> driver_opts;
    std::vector<std::string> link_local_ips;
    int priority = 0;
    int gw_priority = 0;
    SourcePos pos;
};

enum class Condition { started, healthy, completed };

struct Dependency {
    std::string service;
    Condition condition = Condition::started;
    bool restart = false;
    bool required = true;
    SourcePos pos;
};

struct RestartPolicy {
    enum class Kind { no, always, on_failure, unless_stopped };
    Kind kind = Kind::no;
    int max_retries = 0;  // on_failure; 0: without limit
};

struct Service {
    std::string name;
    SourcePos pos;
    std::string config_hash;  // sha256 hex over the canonical form, as `config --hash` prints it
    std::string definition;   // the canonical JSON that config_hash is made over
    /// "config app.conf", "secret key": the digest of its content, once the engine has looked. It is in config_hash
    /// too.
    std::map<std::string, std::string> contents;
    /// "environment.KEY", "labels.KEY": the env_file or label_file that its value comes from, as findings show it.
    std::map<std::string, std::string> value_files;

    std::string image;
    SourcePos image_pos;
    std::string platform;
    std::string pull_policy;
    std::optional<std::vector<std::string>> command;     // unset: the image's; empty list: cleared
    std::optional<std::vector<std::string>> entrypoint;  // unset: the image's; set: resets the image's command
    std::map<std::string, std::optional<std::string>> environment;  // nothing: remove from the image's environment
    Labels labels;
    Labels annotations;
    std::string container_name;
    std::string hostname;
    std::string domainname;
    std::string working_dir;
    std::string user;
    std::vector<std::string> group_add;
    bool init = false;
    bool read_only = false;
    bool privileged = false;
    bool tty = false;
    bool stdin_open = false;
    bool attach = true;
    std::string stop_signal;
    std::optional<Nanoseconds> stop_grace_period;
    RestartPolicy restart;
    std::optional<Healthcheck> healthcheck;
    std::vector<Dependency> depends_on;
    std::vector<Port> ports;
    bool publish_all = false;  // -P, for inspect: its ports are among the others
    std::vector<std::string> expose;
    std::vector<Mount> mounts;  // volumes: and tmpfs:, in file order
    std::string network_mode;   // empty: `networks`; none, host, bridge, service:X, container:X
    std::vector<NetworkAttachment> networks;
    std::map<std::string, std::vector<std::string>> extra_hosts;
    std::vector<std::string> dns;
    std::vector<std::string> dns_search;
    std::vector<std::string> dns_opt;
    std::vector<std::string> cap_add;
    std::vector<std::string> cap_drop;
    std::vector<std::string> security_opt;
    SourcePos security_pos;
    std::map<std::string, std::string> sysctls;
    struct Ulimit {
        std::int64_t soft = 0;  // -1: unlimited
        std::int64_t hard = 0;
    };
    std::map<std::string, Ulimit> ulimits;
    std::optional<std::int64_t> shm_size;
    std::optional<std::int64_t> mem_limit;
    std::optional<std::int64_t> pids_limit;
    std::optional<double> cpus;
    int scale = 1;
    std::vector<std::string> profiles;

    std::optional<BuildConfig> build;
    std::vector<std::string> links;           // "service" or "service:alias"
    std::vector<std::string> external_links;  // "container" or "container:alias"
    std::vector<std::string> volumes_from;    // "service[:ro|rw]", "container:name[:ro|rw]"
    std::vector<FileGrant> configs;
    std::vector<FileGrant> secrets;
    std::vector<DeviceMapping> devices;
    std::vector<std::string> device_cgroup_rules;  // "c 1:3 mr"
    std::vector<DeviceRequest> gpus;               // `gpus` and the devices of deploy.resources.reservations
    std::optional<Logging> logging;
    std::string ipc;          // empty, shareable, private, none, host, service:X, container:X
    std::string pid;          // empty, host, service:X, container:X
    std::string uts;          // empty, host
    std::string userns_mode;  // empty, host
    std::string cgroup;       // empty, host, private
    std::string cgroup_parent;
    std::string runtime;
    std::map<std::string, std::string> storage_opt;
    Limits limits;
    std::vector<Hook> pre_start;
    std::vector<Hook> post_start;
    std::vector<Hook> pre_stop;
    std::vector<WatchRule> watch;
    Deploy deploy;
    std::optional<Provider> provider;
    std::vector<ModelUse> models;
    bool use_api_socket = false;
    std::string pull_refresh_after;
    std::map<std::string, std::string> extensions;  // x-...: its value as JSON
};

}  // namespace compose
