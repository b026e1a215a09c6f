// The cgroup of one container, on cgroup v2 or on the v1 hierarchies. All paths are relative to a root folder, so that
// tests can use a fake tree.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cgroup_place.hpp"
#include "runtime/cgroup_stats.hpp"
#include "runtime/device_rules.hpp"
#include "runtime/spec.hpp"
#include "sys/fd.hpp"

namespace compose::runtime {

class Cgroup {
public:
    /// Where the container's cgroup is: <root>[/<controller>]/<parent>/<id>.
    Cgroup(std::string root, std::string parent, std::string id);
    ~Cgroup();
    Cgroup(Cgroup&&) noexcept;

    /// Also device rules: the default ones and `more`. Idempotent.
    void create(const Resources& resources, bool privileged, const std::vector<DeviceRule>& more = {});
    /// `in_v2_already`: the process was cloned into the v2 directory.
    void attach(pid_t pid, bool in_v2_already = false);
    /// For CLONE_INTO_CGROUP: the v2 directory (also the unified one of a v1 hybrid), or empty.
    [[nodiscard]] sys::Fd open_v2_directory() const;
    /// The cgroup.procs files of its v1 hierarchies, for a process to write itself into.
    [[nodiscard]] std::vector<sys::Fd> open_v1_entrances() const;
    void update(const Resources& resources);
    void freeze(bool on);
    [[nodiscard]] bool frozen() const;
    void kill();    // SIGKILL to every process in it; thaws first
    void remove();  // idempotent; waits briefly for the last process; parents that are empty go too
    [[nodiscard]] CgroupStats stats() const;
    [[nodiscard]] std::uint64_t oom_kills() const;
    [[nodiscard]] std::vector<pid_t> processes() const;
    [[nodiscard]] bool exists() const;
    /// Is v2 the only hierarchy?
    [[nodiscard]] bool pure_v2() const;
    /// v1: the hierarchies where this cgroup has a directory: "devices", "cpu,cpuacct"; without the unified one.
    [[nodiscard]] std::vector<std::string> v1_hierarchies() const;

private:
    std::unique_ptr<CgroupPlace> place_;
};

/// "/sys/fs/cgroup"
[[nodiscard]] const char* cgroup_root();

}  // namespace compose::runtime
