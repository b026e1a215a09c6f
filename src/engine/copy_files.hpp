// `cp` between the host and a container, by Docker's rules of where things go. Nothing that a container holds is
// followed out of it, and nothing from it is ever run.
#pragma once

#include <compose/containers.hpp>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::engine {

/// Follows links in the last component, inside the root; throws not_found.
[[nodiscard]] PathInfo path_info(sys::FdRef root, const std::string& path, bool follow);

void copy_out(sys::FdRef root, const std::string& path, const std::string& host_path, const CopyOptions& options);
void copy_in(const std::string& host_path, sys::FdRef root, const std::string& path, const CopyOptions& options);
/// Makes what lies at `target` the same as `host_path` has it for some paths below it: files are copied, what is gone
/// here is removed there. A `relative` of "" is the path itself.
void mirror(const std::string& host_path, const std::vector<std::string>& relative, sys::FdRef root,
            const std::string& target);
void archive_out(sys::FdRef root, const std::string& path, sys::FdRef out, const CopyOptions& options);
void archive_in(sys::FdRef root, const std::string& path, sys::FdRef in);

}  // namespace compose::engine
