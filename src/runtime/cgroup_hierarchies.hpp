// Which cgroup hierarchies a host has, and which controller lies in which.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose::runtime {

struct CgroupHierarchies {
    bool v2 = false;       // the only hierarchy is v2's, at the root itself
    bool unified = false;  // v1, with a v2 hierarchy without controllers beside it

    /// Folders of v1 hierarchies by controller. Where controllers share one ("cpu,cpuacct"), their names are links to
    /// it.
    std::map<std::string, std::string, std::less<>> by_controller;
    std::vector<std::string> all;  // each folder once, the unified one last; {""} for v2

    [[nodiscard]] std::optional<std::string> of(const std::string& controller) const;
    /// Looks at `root`.
    [[nodiscard]] static CgroupHierarchies find(const std::string& root);
    /// Those of this machine: mounted when it starts, and looked for once.
    [[nodiscard]] static const CgroupHierarchies& of_this_host();
};

inline constexpr const char* kUnified = "unified";

}  // namespace compose::runtime
