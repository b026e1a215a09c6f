// Networks and volumes by name, whoever made them: what `network ...` and `volume ...` ask for. As Engine: it never
// prints, prompts or exits.
#pragma once

#include <compose/containers.hpp>
#include <compose/engine.hpp>
#include <compose/project.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace compose {

/// The networks that are always there. `bridge` is made when the first container needs it; host and none are no objects
/// of the kernel.
inline constexpr const char* kBridgeNetwork = "bridge";

struct NetworkMember {
    std::string container_id, name;
    std::string mac, address;  // "172.17.0.2/16"
    std::string address6;      // "fd00::2/64"; empty: none
};

struct NetworkView {
    std::string id, name, project;
    std::string driver;                          // bridge, macvlan, ipvlan, host, null
    std::string subnet6;                         // empty: IPv4 only
    std::string subnet;                          // empty: IPv6 only
    std::vector<IpamPool> pools;                 // all of both families, those first
    std::string interface;                       // of the host
    std::map<std::string, std::string> options;  // by Docker's names
    bool stacked = false;                        // on an interface of the host's: no ports are published
    bool internal = false;
    bool attachable = false;
    Labels labels;
    std::int64_t created_at = 0;  // nanoseconds since 1970; 0: not made yet
    std::vector<NetworkMember> members;
};

struct ConnectOptions {
    std::vector<std::string> aliases;
    std::string ipv4_address, ipv6_address;
    std::string mac_address;
    std::vector<std::string> link_local_ips;
    std::map<std::string, std::string> driver_options;  // com.docker.network.endpoint.ifname and .sysctls
    int gw_priority = 0;                                // the network with the highest one has the default route
    std::map<std::string, std::string> links;  // a name that only this container knows -> the name that is meant
};

class Networks {
public:
    explicit Networks(EngineOptions options);
    ~Networks();
    Networks(const Networks&) = delete;
    Networks& operator=(const Networks&) = delete;

    /// By name, the predefined ones too. Without `members`, those are left out.
    [[nodiscard]] std::vector<NetworkView> list(bool members);
    /// By name, id or the beginning of an id.
    [[nodiscard]] NetworkView find(const std::string& reference);
    /// Parts of subnets whose owners are found by where they lie.
    struct PoolParts {
        std::vector<std::string> gateways, ranges;
        std::map<std::string, std::string> aux_addresses;
    };
    /// Throws conflict when there is one of that name. Returns its id.
    std::string create(Network network, const PoolParts& parts = {});
    /// Throws conflict, naming the containers, while it is in use, and for predefined ones.
    void remove(const std::string& reference);
    /// Makes `bridge` where it is missing.
    void ensure_bridge();
    /// Removes `bridge` when nothing is on it: it comes again with the next container. True when it did.
    bool release_bridge();

    /// A running container gets the interface and the names at once.
    void connect(const std::string& network, const std::string& container, const ConnectOptions& options);
    /// `force` forgives a container that is gone or not connected.
    void disconnect(const std::string& network, const std::string& container, bool force);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct VolumeView {
    std::string name, project, driver, mountpoint;
    std::map<std::string, std::string> options;
    Labels labels;
    bool anonymous = false;
    std::int64_t created_at = 0;
    std::vector<std::string> users;  // names of containers
};

class Volumes {
public:
    explicit Volumes(EngineOptions options);
    ~Volumes();
    Volumes(const Volumes&) = delete;
    Volumes& operator=(const Volumes&) = delete;

    [[nodiscard]] std::vector<VolumeView> list();
    [[nodiscard]] VolumeView find(const std::string& name);
    /// No error when it exists with the same options; conflict when with others. An empty name: a random, anonymous
    /// one. Returns the name.
    std::string create(const Volume& volume);
    /// Throws conflict, naming the containers, while it is in use.
    void remove(const std::string& name);
    /// Bytes of its files.
    [[nodiscard]] std::int64_t size(const std::string& name);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// What the writable layer of each container takes, and all that its image takes below it.
struct ContainerSize {
    std::int64_t writable = 0;
    std::int64_t total = 0;
};
[[nodiscard]] ContainerSize container_size(const EngineOptions& options, const std::string& id);

/// This machine and this installation.
struct HostDescription {
    std::string installation, state_folder;
    std::string name, kernel, machine, architecture, system;  // "x86_64", "amd64", "Debian GNU/Linux 12"
    int cpus = 1;
    std::int64_t memory = 0;
    int cgroup_version = 2;
    bool apparmor = false;  // the kernel confines programs by profiles
};
[[nodiscard]] HostDescription host_description(const EngineOptions& options);
struct HostSupport;  // of config.hpp
/// What check_supported() must know of this machine. `environment`: DOCKER_HOST.
[[nodiscard]] HostSupport host_support(const std::map<std::string, std::string>& environment);
/// Gives the services with use_api_socket the socket of this host's daemon at /var/run/docker.sock, and the credentials
/// of the user's registries as /run/secrets/docker/config.json, unless they have a DOCKER_CONFIG of their own.
/// `environment`: DOCKER_HOST, DOCKER_CONFIG, HOME. Throws Error when a credential helper fails.
void give_api_socket(Project& project, const std::map<std::string, std::string>& environment);

struct ImageDetails {
    std::string id;
    std::string config;                       // the image's configuration, JSON
    std::vector<std::string> names, digests;  // "debian:12"
    std::int64_t size = 0;
    std::int64_t created_at = 0;
};
/// By name or id; nothing when it is not here.
[[nodiscard]] std::optional<ImageDetails> image_details(const EngineOptions& options, const std::string& reference);

/// What must be known before a container is made by hand, in one look.
struct RunFacts {
    std::optional<std::vector<std::string>> exposed;  // "80/tcp", ... by the image; nothing when it is not here
    bool has_bridge = false;                          // the default network was made
};
[[nodiscard]] RunFacts run_facts(const EngineOptions& options, const std::string& image);

}  // namespace compose
