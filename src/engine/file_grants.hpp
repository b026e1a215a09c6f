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
};

/// Reads the sources. Throws Error(invalid) or Error(not_found) that names the config or secret.
[[nodiscard]] std::vector<GrantedFile> plan_files(const Project& project, const Service& service,
                                                  const std::string& container_id, const store::Layout& layout);
void write_files(const std::vector<GrantedFile>& files, const std::string& container_id, const store::Layout& layout);
[[nodiscard]] std::vector<runtime::MountSpec> mounts_of(const std::vector<GrantedFile>& files);
/// After a reboot a container's secrets are gone: they are written again from the project, or, without one, missed.
/// Throws Error(not_found) then.
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
