// SELinux: what contexts containers have on this host, which of them a service asks for, and giving files theirs. Where
// nobody asks, containers run in the engine's own context, as Docker's do by default.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace compose::engine {

/// "user:role:type:level", as the policy has them for containers.
struct SelinuxContexts {
    std::string process, file;
};
/// Nothing where the kernel has no policy, or that knows no containers. `root`: of the files that are looked at.
[[nodiscard]] std::optional<SelinuxContexts> read_selinux_contexts(const std::string& root = "");

struct SelinuxLabels {
    std::string process, mount;  // empty: none
};
/// Of a container whose security_opt has these values of `label`: "type:x", "level:s0:c1,c2", "disable". With none of
/// them there are no labels. The level is a pair of categories drawn from the id, unless one is given. Throws
/// Error(invalid) for what is no such value.
[[nodiscard]] SelinuxLabels selinux_labels(const SelinuxContexts& contexts, const std::vector<std::string>& options,
                                           const std::string& container_id);
/// Of files that all containers may use, or those of one: with its own level.
[[nodiscard]] std::string shared_file_label(const SelinuxContexts& contexts);
[[nodiscard]] std::string private_file_label(const SelinuxContexts& contexts, const std::string& container_id);

/// Throws Error(invalid) for the folders that a whole system lives in.
void check_relabel(const std::string& path);
/// Gives `path` and all below it the context `label`. Links get it themselves and are never followed; a file system
/// without contexts keeps what it has. Throws as check_relabel() does.
void relabel(const std::string& path, const std::string& label);

}  // namespace compose::engine
