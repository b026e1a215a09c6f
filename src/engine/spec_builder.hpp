// Service + image + what was decided about one container -> what the runtime must run. Pure: nothing is looked up, made
// or allocated here.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <string>
#include <vector>

#include "engine/cdi.hpp"
#include "engine/image_facts.hpp"
#include "engine/selinux.hpp"
#include "runtime/spec.hpp"

namespace compose::engine {

/// What is known of a container besides its service and image.
struct ContainerFacts {
    std::string id;
    std::string name;  // the final one
    int number = 1;
    std::string folder;                                             // layout.container(id)
    std::vector<std::string> layer_folders;                         // topmost first
    std::map<std::string, std::string> volume_folders;              // mount target -> host folder of the volume
    std::map<std::string, std::string> volume_names;                // mount target -> name
    std::map<std::string, std::vector<std::string>> image_folders;  // target of an image mount -> topmost first
    std::vector<runtime::MountSpec> more_mounts;                    // of other containers, of configs and secrets
    CdiEdits cdi;
    std::string seccomp_profile;  // JSON
    std::string apparmor;         // the profile of those that name none
    SelinuxLabels labels;
    std::string network_of, pid_of, ipc_of;  // names of containers
    std::string host_binding;                // the host's address for ports that name none; empty: all
    std::string installation_id;
    std::string host_name;  // of this machine
    std::int64_t created_at = 0;
};

enum class NetworkKind { own, none, host, joined };
[[nodiscard]] NetworkKind network_kind(const Service& service);

[[nodiscard]] runtime::ContainerSpec build_spec(const Service& service, const ImageFacts& image,
                                                const ContainerFacts& facts);

/// Entrypoint and command by Docker's rules: an entrypoint of the service resets the image's command.
[[nodiscard]] std::vector<std::string> effective_args(const Service& service, const ImageFacts& image);
/// The image's variables, then the service's; a service's variable without a value removes the image's.
[[nodiscard]] std::vector<std::string> effective_environment(const Service& service, const ImageFacts& image);
[[nodiscard]] std::string effective_hostname(const Service& service, const ContainerFacts& facts);
/// Targets of anonymous volumes: the service's volumes without a source and the image's volumes that nothing is mounted
/// on.
[[nodiscard]] std::vector<std::string> anonymous_volume_targets(const Service& service, const ImageFacts& image);
/// security_opt: "key=value" or "key:value", or a key alone.
struct SecurityOption {
    std::string key, value;
};
[[nodiscard]] SecurityOption parse_security_option(const std::string& text);
/// A cgroup parent that a user names, without empty parts; ".." is refused where the cgroup is made. The slash says
/// that it is not ours to remove.
[[nodiscard]] std::string cgroup_parent_path(const std::string& path);
/// The values of `label`, of SELinux.
[[nodiscard]] std::vector<std::string> label_options(const Service& service);
/// The path of the seccomp profile that the service names; empty: none.
[[nodiscard]] std::string seccomp_profile_path(const Service& service);
/// "service:X" or "container:X"
[[nodiscard]] bool joins_container(const std::string& mode);

/// The parts of build_spec() that spec_limits.cpp holds.
void set_limits(const Service& service, runtime::ContainerSpec& spec);
void set_security(const Service& service, const ContainerFacts& facts, runtime::ContainerSpec& spec);
void set_namespaces(const Service& service, const ContainerFacts& facts, runtime::ContainerSpec& spec);

/// What stands in a service but can't be run; empty for what the loader lets through.
[[nodiscard]] std::vector<Diagnostic> unsupported(const Service& service);

}  // namespace compose::engine
