// What exists now of a project: a snapshot of plain values, taken by the engine, read by the planners. It is already
// reconciled with the kernel: a container whose supervisor is gone is `exited`, a network without its bridge not
// `ready`.
#pragma once

#include <compose/service.hpp>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace compose {

enum class ObservedStatus { created, running, restarting, exited, dead, paused };
enum class ObservedHealth { none, starting, healthy, unhealthy };

struct ObservedContainer {
    std::string id;
    std::string name;
    std::string service;
    int number = 0;
    bool oneoff = false;
    bool hook = false;     // one-off: a pre_start that has failed, or that a killed command left
    bool complete = true;  // false: its making was interrupted, it can't be started
    ObservedStatus status = ObservedStatus::created;
    ObservedHealth health = ObservedHealth::none;
    bool has_healthcheck = false;
    int exit_code = 0;
    bool stopped_by_user = false;
    std::string config_hash;
    std::string image_id;
    std::string mounted_images;                            // ids of the images of its mounts, with commas
    std::set<std::string> networks;                        // names
    std::set<std::string> volumes;                         // names, anonymous ones too
    std::map<std::string, std::string> anonymous_volumes;  // target -> volume name
    std::vector<Dependency> depends_on;                    // from its label
};

struct ObservedNetwork {
    std::string id;
    std::string name;
    std::string project;  // empty: not made by compose
    std::string key;
    std::string config_hash;
    std::string definition;            // JSON, as in Network
    bool ready = true;                 // false: the row is there, the bridge is not (after a reboot)
    std::vector<std::string> foreign;  // names of containers of other projects on it
};

struct ObservedVolume {
    std::string name;
    std::string project;
    std::string key;
    std::string config_hash;
    bool anonymous = false;
    std::vector<std::string> users;  // container names, of any project
};

struct ObservedImage {
    std::string id;
    bool has_healthcheck = false;
    bool has_entrypoint = false;
    bool has_command = false;
};

/// A host port that a running container holds, of any project.
struct ObservedPort {
    std::string container_id;
    std::string container;
    std::string project;
    std::string protocol;
    std::string host_ip;  // empty: all addresses of both families
    std::uint16_t host_port = 0;
};

struct ObservedState {
    std::string project;
    std::vector<ObservedContainer> containers;         // of the project, by name
    std::map<std::string, ObservedNetwork> networks;   // by name: the project's, and those its file names
    std::map<std::string, ObservedVolume> volumes;     // likewise
    std::map<std::string, ObservedImage> images;       // by reference as services write it; absent: not here
    std::set<std::string> expected_images;             // will be here by then: pulled or built before the plan is run
    std::vector<ObservedPort> ports;                   // of the whole installation
    std::map<std::string, std::string> foreign_names;  // declared container names that another project has -> project
    std::set<std::string> asked_providers, asked_models;  // by this very command; the hashes of services tell the rest
    std::set<std::string> fresh;                          // ids of containers that this very command has started
};

}  // namespace compose
