// Where the cgroup of one container lies in each hierarchy of the host, and making its directories with the controllers
// that its limits need.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/cgroup_hierarchies.hpp"
#include "runtime/spec.hpp"

namespace compose::runtime {

struct CgroupPlace {
    std::string root, parent, id;
    bool v2 = false;  // the only hierarchy
    bool unified = false;
    bool keep_parents = false;  // they are the user's: they stay, also when they are empty

    std::optional<CgroupHierarchies> own{};  // of a root that is not this host's
    const CgroupHierarchies* hierarchies = nullptr;

    /// A `parent` that begins with a slash is the user's. Throws when a name is no single component of a path.
    CgroupPlace(std::string root, std::string parent, std::string id);
    CgroupPlace(const CgroupPlace&) = delete;  // `hierarchies` may point into it
    CgroupPlace& operator=(const CgroupPlace&) = delete;

    /// The folder of the hierarchy that has `controller`; nothing when this host has none.
    [[nodiscard]] std::optional<std::string> hierarchy(const std::string& controller) const {
        return hierarchies->of(controller);
    }
    [[nodiscard]] std::string directory(const std::string& hierarchy) const;
    [[nodiscard]] std::string v2_directory() const { return directory(v2 ? "" : kUnified); }
    /// Of a controller, for reading and writing its files.
    [[nodiscard]] std::string of(const std::string& controller) const;

    /// The hierarchies where it has a directory.
    [[nodiscard]] std::vector<std::string> existing() const;
    /// Those where it needs one.
    [[nodiscard]] std::vector<std::string> wanted(const Resources& resources) const;

    /// In one hierarchy, with its parents. Idempotent.
    void make_directory(const std::string& hierarchy) const;
    /// v2: passes the controllers on from the root downwards.
    void enable_controllers(const Resources& resources) const;
};

[[nodiscard]] bool limits_block_io(const Resources& resources);

}  // namespace compose::runtime
