// The rows of state.db as plain values. Times are nanoseconds since 1970 (0: never).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose::store {

using Labels = std::map<std::string, std::string>;

enum class ContainerState { created, running, restarting, exited, dead, paused };
[[nodiscard]] const char* to_string(ContainerState state);
enum class Health { none, starting, healthy, unhealthy };
[[nodiscard]] const char* to_string(Health health);

/// What the engine decides about a container when it makes it; never changes afterwards.
struct ContainerConfig {
    std::string spec;            // runtime::ContainerSpec as JSON
    std::string image;           // the reference as written
    std::string image_id;        // sha256:...
    std::string restart = "no";  // no, always, on-failure[:N], unless-stopped
    int stop_signal = 15;
    std::int64_t stop_timeout_ns = 10'000'000'000;
    std::string health_json;       // supervisor::HealthConfig as JSON; empty: no health check
    std::vector<std::string> dns;  // upstream servers; empty: the host's
    bool log = true;
    /// Wished host ports, JSON: [{"protocol":"tcp","host_ip":"","first":8080,"last":8080,"container_port":80}]. They
    /// are taken at each start (see Store::allocate_port); empty: none.
    std::string ports_json;
    std::string options_json;  // supervisor::ContainerOptions as JSON; empty: the defaults
};

struct Container {
    std::string id;
    std::string name;  // unique in the installation
    std::string project;
    std::string service;
    int number = 0;  // container-number
    bool oneoff = false;
    std::string config_hash;
    Labels labels;
    ContainerConfig config;
    std::int64_t created_at = 0;

    // Written by the supervisor.
    ContainerState state = ContainerState::created;
    Health health = Health::none;
    int pid = 0;
    std::uint64_t pid_start_time = 0;
    std::int64_t started_at = 0;
    std::int64_t finished_at = 0;
    int exit_code = 0;
    bool oom_killed = false;
    bool stopped_by_user = false;
    int restart_count = 0;
    std::string error;
    std::string boot_id;  // of the boot in which it was started last
};

/// What a container was made from; neither changes while it exists, and only who asks for them reads them.
struct ContainerTexts {
    std::string definition;  // JSON of the service that `up` compares with; "": made for one purpose
    std::map<std::string, std::string> contents{};     // Service::contents
    std::map<std::string, std::string> value_files{};  // Service::value_files
    std::string request;                               // JSON in the terms of Docker's API, for `inspect`
};

/// Has it processes, or will it have some again by itself?
[[nodiscard]] inline bool is_up(ContainerState state) {
    return state == ContainerState::running || state == ContainerState::restarting || state == ContainerState::paused;
}

struct Network {
    std::string id;
    std::string name;  // unique
    std::string project;
    std::string key;  // in the Compose file
    std::string driver = "bridge";
    std::string subnet;  // "172.17.0.0/16"; unique, not overlapping another; empty: no IPv4
    std::string gateway;
    std::string bridge;  // interface name, from the id; empty where there is none
    bool internal = false;
    bool attachable = false;
    /// What is not as usual: ipv4 ("false"), subnet6, gateway6, ip_range, range6, reserved, reserved6 and more (further
    /// subnets; see pools.hpp for these), mtu, icc, masquerade ("false"), host_binding, source, source6
    /// (under which traffic leaves), inhibit ("true": the bridge has no address), gateway_mode, gateway_mode6 (nat,
    /// nat-unprotected, routed, isolated), trusted ("eth0:eth1"), interface_prefix.
    /// Of macvlan and ipvlan: parent, mode, flag, and made ("true") when the parent is the engine's own.
    std::map<std::string, std::string> options;
    Labels labels;
    std::string config_hash;
    std::int64_t created_at = 0;
    std::string definition{};  // JSON, what config_hash is of; empty: made by hand
};

/// Is it to have IPv4? It has a subnet once it is in the database.
[[nodiscard]] inline bool has_ipv4(const Network& network) {
    return !network.options.contains("ipv4");
}

/// Does it stand on an interface of the host's, instead of a bridge of its own?
[[nodiscard]] inline bool is_stacked(const Network& network) {
    return network.driver == "macvlan" || network.driver == "ipvlan";
}

/// Can nobody come to its containers over an address of the host's?
[[nodiscard]] inline bool is_out_of_reach(const Network& network) {
    return network.internal || is_stacked(network);
}

struct Endpoint {
    std::string container_id;
    std::string network_id;
    int index = 0;        // in the order in which they came
    std::string address;  // IPv4, unique in the network; empty where that has none
    std::string mac;
    std::string interface;             // the host's end of the veth pair, unique
    std::vector<std::string> aliases;  // all names it answers to in the network
    bool default_route = false;
    std::string name{};                     // of the interface in the container; empty: eth<number>
    std::vector<std::string> link_local{};  // more addresses, of 169.254.0.0/16
    int gw_priority = 0;                    // the highest one has the default route
    std::vector<std::string> sysctls{};     // of the interface: "net.ipv4.conf.IFNAME.log_martians=1"
    int number = 0;                         // of its name; those with names of their own don't count
};

struct PortRecord {
    std::string container_id;
    std::string protocol;
    std::string host_ip;  // empty: all addresses of both families; 0.0.0.0, ::: of one
    std::uint16_t host_port = 0;
    std::uint16_t container_port = 0;
};

struct Volume {
    std::string name;  // unique
    std::string project;
    std::string key;  // in the Compose file; empty for anonymous volumes
    std::string driver = "local";
    std::map<std::string, std::string> driver_opts;
    Labels labels;
    bool anonymous = false;
    std::string config_hash;
    std::int64_t created_at = 0;
};

struct Image {
    std::string id;                   // "sha256:<64 hex>" of the config
    std::string config;               // OCI image config JSON
    std::vector<std::string> layers;  // chain ids, lowest first
    std::int64_t size = 0;            // bytes, unpacked
    std::int64_t created_at = 0;
};

struct ImageName {
    std::string reference;  // "docker.io/library/debian:bookworm-slim", normalised
    std::string image_id;
    std::int64_t tagged_at = 0;
    std::int64_t pulled_at = 0;  // when a registry was asked last; 0: never
};

/// What a registry calls an image: repository@digest. The digest may be an index's that the image was chosen from.
struct ImageDigest {
    std::string repository;  // "docker.io/library/debian"
    std::string digest;
    std::string image_id;
    std::int64_t pulled_at = 0;
};

/// The manifest as it came or as it was made for sending: its blobs are kept, so that it goes out as it came in.
struct ImageManifest {
    std::string image_id;
    std::string digest;
    std::string content;  // JSON
};

/// The compressed archive that a layer came from, or was packed into for sending. Kept while the layer is in use.
struct LayerBlob {
    std::string chain_id;
    std::string diff_id;  // of the archive: an imported tar can't be made again byte by byte
    std::string media_type;
    std::string digest;
    std::int64_t size = 0;
};

}  // namespace compose::store
