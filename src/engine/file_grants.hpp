// Configs and secrets as files of one container: what each holds, whose it is and where it goes. They are written where
// only root can look, secrets below the run folder, and mounted read-only one by one: the container's own tree is never
// written to.
#pragma once

#include <compose/project.hpp>
#include <string>
#include <vector>

#include "runtime/spec.hpp"
#include "store/layout.hpp"

namespace compose::engine {

struct GrantedFile {
    std::string source;      // host path that is mounted
    std::string target;      // absolute path in the container
    std::string content;     // written to `source`, unless that is a folder of the user's
    bool is_folder = false;  // a `file:` that is a folder is mounted as it is
    unsigned uid = 0, gid = 0;
    unsigned mode = 0444;
    std::string name;         // key in the Compose file
    std::string from;         // the host's file that `content` was read from; empty: it came from elsewhere
    std::string environment;  // the variable that it came from
};

/// Reads the sources. Throws Error(invalid) or Error(not_found) that names the config or secret.
[[nodiscard]] std::vector<GrantedFile> plan_files(const Project& project, const Service& service,
                                                  const std::string& container_id, const store::Layout& layout);
void write_files(const std::vector<GrantedFile>& files, const std::string& container_id, const store::Layout& layout);
[[nodiscard]] std::vector<runtime::MountSpec> mounts_of(const std::vector<GrantedFile>& files);
/// Where a container's secrets came from, without what they say: for the time after a reboot.
void record_origins(const std::vector<GrantedFile>& files, const std::string& container_id,
                    const store::Layout& layout);
/// After a reboot a container's secrets are gone: they are written again from the project, or, without one, from the
/// files that they came from. Throws Error(not_found) for those that came from elsewhere.
void restore_secrets(const runtime::ContainerSpec& spec, const Project* project, const std::string& service,
                     const store::Layout& layout);
/// The container's secrets; its configs go with its folder. No error when there are none.
void remove_secrets(const std::string& container_id, const store::Layout& layout);

/// What is wrong with the grants of a service, before anything is made.
[[nodiscard]] std::vector<Diagnostic> check_grants(const Project& project, const Service& service);

/// The project with service hashes that tell the contents of configs and secrets too: a changed file is a change of
/// every service that sees it.
[[nodiscard]] Project with_contents_hashed(const Project& project);

}  // namespace compose::engine
