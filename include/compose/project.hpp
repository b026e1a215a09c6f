// A project after loading: services, networks and volumes, with every reference checked.
#pragma once

#include <compose/service.hpp>
#include <map>
#include <string>
#include <vector>

namespace compose {

struct IpamPool {
    std::string subnet;
    std::string gateway;
    std::string ip_range;
    std::map<std::string, std::string> aux_addresses;
};

struct Network {
    std::string key;
    std::string name;  // of the object: the literal `name`, else <project>_<key>
    SourcePos pos;
    std::string config_hash;
    std::string definition;  // JSON, what config_hash is of
    bool external = false;
    bool internal = false;
    bool attachable = false;
    bool enable_ipv4 = true;
    bool enable_ipv6 = false;
    std::string driver;  // empty: bridge
    std::map<std::string, std::string> driver_opts;
    SourcePos driver_opts_pos;
    std::vector<IpamPool> ipam;
    Labels labels;
};

struct Volume {
    std::string key;
    std::string name;
    SourcePos pos;
    std::string config_hash;
    bool external = false;
    std::string driver;  // empty: local
    std::map<std::string, std::string> driver_opts;
    Labels labels;
    bool by_hand = false;  // named by a command, not by the file: no part of the project
};

/// A config or a secret: exactly one of the sources, unless external.
struct FileObject {
    std::string key;
    std::string name;
    SourcePos pos;
    std::string file;                    // absolute host path
    std::string environment;             // name of a variable
    std::optional<std::string> content;  // of `content`, or the value of `environment`
    bool external = false;
    std::string driver;
    std::map<std::string, std::string> driver_opts;
    std::string template_driver;
    Labels labels;
};

struct Model {
    std::string key;
    std::string name;
    std::string model;
    std::optional<std::int64_t> context_size;
    std::vector<std::string> runtime_flags;
    SourcePos pos;
};

struct Project {
    std::string name;
    std::string separator = "-";                 // of the parts of container names; "_" with --compatibility
    std::string working_dir;                     // absolute
    std::vector<std::string> config_files;       // absolute; "-" for standard input
    std::vector<std::string> environment_files;  // those given or found
    std::map<std::string, Service> services;     // active ones only (profiles applied)
    std::map<std::string, Service> disabled_services;
    std::map<std::string, Network> networks;  // only those that active services use, unless all_resources
    std::map<std::string, Volume> volumes;
    std::map<std::string, FileObject> configs;
    std::map<std::string, FileObject> secrets;
    std::map<std::string, Model> models;
};

}  // namespace compose
