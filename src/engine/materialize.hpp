// A container's folder: upper and work directories, hosts, resolv.conf, hostname. The texts are pure; one function
// writes them.
#pragma once

#include <compose/project.hpp>
#include <string>
#include <vector>

#include "engine/action_context.hpp"
#include "engine/endpoints.hpp"
#include "engine/spec_builder.hpp"

namespace compose::engine {

/// /etc/hosts: the container's own addresses under its hostname, and extra_hosts ("host-gateway": the default route's).
[[nodiscard]] std::string hosts_text(const Service& service, const ContainerFacts& facts, const HostFacts& host,
                                     const std::vector<PlannedEndpoint>& endpoints);
/// On own networks the name server is ours; else the host's file counts, with the service's dns settings over it.
[[nodiscard]] std::string resolv_text(const Service& service, const HostFacts& host);

/// With parents; 0755 whatever the umask: containers' users go through it.
void make_shared_directory(const std::string& path);
/// The lowest layer of every container: empty files and folders where the runtime mounts, so that none need be made in
/// the container's own folder. Does nothing when it is there.
void make_mount_points(const std::string& folder);
/// The folder with everything but `hostname`, which finish_folder() writes last: its presence says that all is there.
/// `disk_size`: bytes of the disk that the container's own files are on; 0: none.
void make_folder(const std::string& folder, std::int64_t disk_size, const std::string& hosts,
                 const std::string& resolv_conf);
void finish_folder(const std::string& folder, const std::string& hostname);

}  // namespace compose::engine
