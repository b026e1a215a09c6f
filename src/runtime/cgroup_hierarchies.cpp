#include "runtime/cgroup_hierarchies.hpp"

#include <algorithm>

#include "runtime/cgroup.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"

namespace compose::runtime {
namespace {

std::optional<std::string> folder_of(const std::string& root, const std::string& controller) {
    const std::string path = root + "/" + controller;
    const auto name = sys::link_text(path);
    if (name && name->find('/') == std::string::npos && sys::is_directory(root + "/" + *name)) return name;
    if (!sys::is_directory(path)) return std::nullopt;
    return controller;
}

}  // namespace

std::optional<std::string> CgroupHierarchies::of(const std::string& controller) const {
    const auto found = by_controller.find(controller);
    if (found == by_controller.end()) return std::nullopt;
    return found->second;
}

CgroupHierarchies CgroupHierarchies::find(const std::string& root) {
    CgroupHierarchies result;
    result.v2 = sys::exists(root + "/cgroup.controllers");
    if (result.v2) {
        result.all = {""};
        return result;
    }
    result.unified = sys::exists(root + "/unified/cgroup.procs");
    for (const char* controller :
         {"devices", "pids", "memory", "freezer", "cpuacct", "cpu", "cpuset", "blkio", kUnified}) {
        auto name = folder_of(root, controller);
        if (!name) continue;
        if (std::find(result.all.begin(), result.all.end(), *name) == result.all.end()) result.all.push_back(*name);
        result.by_controller.emplace(controller, std::move(*name));
    }
    return result;
}

const CgroupHierarchies& CgroupHierarchies::of_this_host() {
    static const CgroupHierarchies kHost = find(cgroup_root());
    return kHost;
}

}  // namespace compose::runtime
