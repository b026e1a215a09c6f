// What the child does after clone, worked out before it: a flat list of operations with every path, option, argument
// and number ready, so that the child only walks the list and calls the kernel. Building a plan is pure: it looks at a
// spec and at HostFacts, and does no I/O.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/arena.hpp"
#include "runtime/capabilities.hpp"
#include "runtime/spec.hpp"
#include "runtime/users.hpp"

struct sock_filter;

namespace compose::runtime {

struct DeviceNode {
    std::string path;  // relative to /dev
    char type = 'c';   // or 'b', 'p' (a FIFO)
    unsigned major = 0, minor = 0;
    unsigned mode = 0600, uid = 0, gid = 0;
    std::string permissions = "rwm";
};

/// What a plan needs to know about the host.
struct HostFacts {
    CapabilitySet capabilities = 0;  // that this process has, and may give on
    std::uint64_t nofile_hard = 524288;
    int oom_score_adj = 0;
    bool time_namespaces = false;
    bool kcore = false;                         // /proc/kcore exists
    std::vector<std::string> thermal_throttle;  // "sys/devices/system/cpu/cpu0/thermal_throttle"
    std::vector<DeviceNode> devices;            // of the host that the container gets
    unsigned kernel_major = 0, kernel_minor = 0;
    bool cgroup_v2 = false;              // the only hierarchy is v2
    std::vector<std::string> cgroup_v1;  // hierarchies where a container has a cgroup: "devices", "pids"
    bool cgroup_unified = false;         // a v2 hierarchy lies beside them
};

/// Descriptors that operations leave for later ones.
enum class Handle : std::uint8_t { none, root, proc, proc_sys, dev, pts, cgroup, count };

enum class OpKind : std::uint8_t {
    // an exec in a running container starts with these
    enter_cgroups,    // of the v1 hierarchies, through files that the parent has opened
    wait_attached,    // exec: until the parent has put this process into the container's cgroups
    join_namespaces,  // of the target process
    second_stage,     // the process that will exec is born inside, with nothing to be spied on
    // a new container
    join_other,      // the namespaces `a` (CLONE_NEW*) of the container in slot `mode` (Other)
    shared_memory,   // slot = a copy of the /dev/shm of the container whose IPC namespace is joined
    open_source,     // slot = a detached copy of `source`, or of `target` below it
    open_image,      // slot = the layers `list` (or the folder `source`), or of `target` below it
    isolate_mounts,  // nothing mounted here reaches the host
    attach_disk,     // the file system that the parent has mounted nowhere yet, on the folder `source`
    overlay_root,    // `list` = lower directories, topmost first; options = the rest; attached at `target` of the host
    bind_root,       // `source` is the root; too
    join_cgroup,     // a new cgroup namespace, rooted where this process now is
    mount_new,       // a new file system of type `source` on `target` under `place`; kept as `save`
    set_attributes,  // of the mount in slot: `attributes` added, `a` taken away
    attach_source,   // slot -> `target`
    directory,       // `target` under `place`
    device,          // `target` under `place`: mode, device
    symlink,         // `target` under `place` -> `source`
    empty_file,      // `target` under `place`
    seal,            // `place` becomes read-only
    open_terminal,   // a new pty; its master goes to the parent
    null_stdio,      // the descriptors in `mode` become the container's own /dev/null
    mask,            // `target` can't be seen
    read_only_path,  // `target` can't be written
    pivot,           // the root becomes /
    hostname,
    domainname,
    loopback_up,
    rlimit,  // resource `slot`, to a (soft), b (hard)
    oom_score_adj,
    apparmor,  // the next program is run under a profile: `source` is what the kernel is told
    selinux,   // or in a context
    resolve_user,
    tell_mounted,  // the parent may do something in this mount namespace now
    wait_release,  // until the parent says that the network is ready
    forget,        // all memory but the plan
    sysctl,        // `target` under /proc/sys := `source`
    close_handles,
    session_keyring,
    working_directory,  // made when missing if `flag`
    become_user,        // groups, ids, capabilities, seccomp
    start_hook,         // number `slot`
    run,
};

/// Containers whose namespaces a new one joins; their first processes come with the launch.
enum class Other : std::uint8_t { network, ipc, count };

struct Option {
    const char* key = nullptr;
    const char* value = nullptr;  // null: a flag
};

struct Op {
    OpKind kind{};
    Handle place = Handle::none;
    Handle save = Handle::none;
    bool flag = false;  // a meaning of its own for each kind
    bool recursive = false;
    bool inherit_mode = false;  // mount_new: the mode of what it covers, where there is something
    const char* what = "";      // for messages: "mount proc on /proc"
    const char* target = "";    // relative, without a leading slash
    const char* source = "";
    Span<Option> options;
    Span<const char*> list;
    std::uint64_t attributes = 0;   // MOUNT_ATTR_*
    std::uint64_t propagation = 0;  // MS_PRIVATE, MS_SLAVE, MS_SHARED
    int slot = -1;
    unsigned mode = 0;
    std::uint64_t a = 0, b = 0;
};

/// A program that is run to its end as the container's own would be.
struct StartHook {
    const char* path = nullptr;
    const char** argv = nullptr;
    const char** envp = nullptr;
    const char* state = nullptr;  // for its standard input; the number of the process and a brace are to follow
    std::int64_t timeout_s = 0;   // 0: none
};

struct LaunchPlan {
    Span<Op> ops;
    std::uint64_t namespaces = 0;  // CLONE_NEW*: made by the clone, or joined by an exec
    std::size_t slots = 0;

    UserQuery user;
    CapabilitySet capabilities = 0;
    bool no_new_privileges = false;
    Span<sock_filter> seccomp;

    const char** argv = nullptr;
    const char** envp = nullptr;
    const char** home_slot = nullptr;  // an entry of envp that is to become "HOME=…"; null: the spec has one
    Span<const char*> candidates;      // the paths to try to execute
    bool looked_up = false;            // they come from $PATH
    Span<StartHook> start_hooks;

    std::uint16_t rows = 0, columns = 0;
    bool terminal = false;
    bool reaper = false;
    unsigned null_mask = 0;  // which of 0, 1, 2 become /dev/null
};

/// `null_mask`: which of 0, 1 and 2 the caller left empty. Throws Error(invalid) on what a container must not ask for.
[[nodiscard]] LaunchPlan plan_launch(const ContainerSpec& spec, const HostFacts& facts, unsigned null_mask,
                                     Arena& arena);
[[nodiscard]] LaunchPlan plan_exec(const ContainerSpec& spec, const ProcessSpec& process, const HostFacts& facts,
                                   unsigned null_mask, Arena& arena);

/// The parts, for tests.
[[nodiscard]] std::vector<std::string> complete_environment(const ContainerSpec& spec, const ProcessSpec& process);
[[nodiscard]] std::vector<std::string> executable_candidates(const std::string& command,
                                                             const std::vector<std::string>& environment);
/// "net.ipv4.ip_forward" or "net/ipv4/ip_forward" -> "net/ipv4/ip_forward"; throws Error(invalid) when the container
/// may not set it.
[[nodiscard]] std::string sysctl_path(const std::string& name, const ContainerSpec& spec);
/// What containers that are not privileged can't see, and what they can't write to; without the leading slash. Some
/// hosts have more of the first.
[[nodiscard]] const std::vector<std::string>& masked_paths();
[[nodiscard]] const std::vector<std::string>& read_only_paths();

/// Absolute, lexically clean, without the leading slash. Throws Error(invalid) for a target that can't be mounted on.
[[nodiscard]] std::string mount_target(const std::string& target, bool read_only_bind);

}  // namespace compose::runtime
