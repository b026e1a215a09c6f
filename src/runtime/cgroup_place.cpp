#include "runtime/cgroup_place.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/cgroup.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"

namespace compose::runtime {
namespace {

// A name as one component of a path, and no way out of it.
void check_name(const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    });
    if (name.empty() || name == "." || name == ".." || !plain)
        throw make_error(ErrorKind::invalid, "{} is no name for a cgroup", quote(name));
}

}  // namespace

bool limits_block_io(const Resources& resources) {
    return resources.blkio_weight || !resources.blkio_weight_device.empty() || !resources.read_bps.empty() ||
           !resources.write_bps.empty() || !resources.read_iops.empty() || !resources.write_iops.empty();
}

CgroupPlace::CgroupPlace(std::string root_folder, std::string parent_path, std::string name)
    : root(std::move(root_folder)), parent(std::move(parent_path)), id(std::move(name)) {
    check_name(id);
    keep_parents = parent.starts_with('/');
    if (keep_parents) parent.erase(0, 1);
    for (const auto& part : split(parent, '/')) check_name(part);
    if (root == cgroup_root()) {
        hierarchies = &CgroupHierarchies::of_this_host();
    } else {
        own = CgroupHierarchies::find(root);
        hierarchies = &*own;
    }
    v2 = hierarchies->v2;
    unified = hierarchies->unified;
}

std::string CgroupPlace::directory(const std::string& hierarchy) const {
    return hierarchy.empty() ? fmt::format("{}/{}/{}", root, parent, id)
                             : fmt::format("{}/{}/{}/{}", root, hierarchy, parent, id);
}

std::string CgroupPlace::of(const std::string& controller) const {
    if (v2) return directory("");
    return directory(hierarchy(controller).value_or(controller));
}

std::vector<std::string> CgroupPlace::existing() const {
    auto names = hierarchies->all;
    std::erase_if(names, [&](const std::string& name) { return !sys::is_directory(directory(name)); });
    return names;
}

// What the unified hierarchy can do (freeze, kill, count cpu time) needs no v1 directory of its own: each costs time at
// every start.
std::vector<std::string> CgroupPlace::wanted(const Resources& resources) const {
    if (v2) return {""};
    std::vector<const char*> controllers{"devices", "pids", "memory"};
    if (!unified) controllers.insert(controllers.end(), {"freezer", "cpuacct"});
    if (resources.cpus || resources.cpu_shares || resources.cpu_quota || resources.cpu_period ||
        resources.cpu_rt_runtime || resources.cpu_rt_period)
        controllers.push_back("cpu");
    if (limits_block_io(resources)) controllers.push_back("blkio");
    if (resources.cpuset_cpus || resources.cpuset_mems) controllers.push_back("cpuset");
    if (unified) controllers.push_back(kUnified);
    std::vector<std::string> result;
    for (const char* controller : controllers)
        if (auto name = hierarchy(controller); name && std::find(result.begin(), result.end(), *name) == result.end())
            result.push_back(std::move(*name));
    return result;
}

// Level by level. Another container's removal may take an empty parent away in between: then once more.
void CgroupPlace::make_directory(const std::string& name) const {
    const bool cpuset = name == "cpuset";
    const std::string base = name.empty() ? root : root + "/" + name;
    // Its parents are there but for the first container's.
    if (!cpuset && sys::make_kernel_directory(directory(name))) return;
    for (int attempt = 0;; ++attempt) {
        std::string path = base;
        bool made = true;
        for (const auto& part : split(fmt::format("{}/{}", parent, id), '/')) {
            const std::string above = path;
            path += "/" + part;
            made = sys::make_kernel_directory(path);
            if (!made && attempt == 5) throw make_error("cgroup {} is removed as fast as it is made", path);
            if (!made) break;
            if (!cpuset) continue;
            // A v1 cpuset starts empty, and an empty one takes no process.
            for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
                if (trim(sys::read_kernel_file(path + file)).empty())
                    sys::try_write_kernel_file(path + file, trim(sys::read_kernel_file(above + file)));
        }
        if (made) return;
    }
}

// A v2 controller works in a cgroup when every one above passes it on.
void CgroupPlace::enable_controllers(const Resources& resources) const {
    std::vector<std::string_view> wanted{"cpu", "memory", "pids"};
    if (resources.cpuset_cpus || resources.cpuset_mems) wanted.emplace_back("cpuset");
    if (limits_block_io(resources)) wanted.emplace_back("io");
    std::string path = root;
    auto parts = split(parent, '/');
    parts.insert(parts.begin(), "");
    for (const auto& part : parts) {
        if (!part.empty()) path += "/" + part;
        const auto available = split(trim(sys::read_kernel_file(path + "/cgroup.controllers")), ' ');
        const auto enabled = split(trim(sys::read_kernel_file(path + "/cgroup.subtree_control")), ' ');
        for (const auto controller : wanted) {
            const auto in = [&](const auto& list) {
                return std::find(list.begin(), list.end(), controller) != list.end();
            };
            if (in(available) && !in(enabled))
                sys::try_write_kernel_file(path + "/cgroup.subtree_control", fmt::format("+{}", controller));
        }
    }
}

}  // namespace compose::runtime
