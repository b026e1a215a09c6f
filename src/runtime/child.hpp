// The child's side of a launch: walks the plan and execs. Between clone and exec only raw system calls are made: no
// allocation, no libc state, no exception, no log.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/channel.hpp"
#include "runtime/launch_plan.hpp"

namespace compose::runtime {

inline constexpr std::size_t kMostCgroups = 10;

struct ChildSetup {
    const LaunchPlan* plan = nullptr;
    const char* arena = nullptr;  // all that the child may still need of its parent's memory
    std::size_t arena_size = 0;
    int* slots = nullptr;  // room for plan->slots descriptors, in the arena
    int channel = -1;      // all descriptors here are 3 or higher
    int stdio[3] = {-1, -1, -1};
    int target = -1;                                                // exec: pidfd of the container's first process
    int others[static_cast<std::size_t>(Other::count)] = {-1, -1};  // pidfds of containers that are joined
    /// The first processes of containers: open cgroup.procs files of v1 hierarchies, filled up with -1.
    int cgroups[kMostCgroups] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    int disk = -1;         // the mount for attach_disk
    bool sibling = false;  // exec: the new process's parent is the caller, else whoever adopts orphans
};

[[noreturn]] void run_child(const ChildSetup& setup) noexcept;

/// The state that operations share.
struct Child {
    const LaunchPlan plan;  // a copy: the parent's object is forgotten
    ChildSetup setup;
    const char* callers = nullptr;  // the stack from here up belongs to the parent's past
    int handles[static_cast<std::size_t>(Handle::count)];
    int slave = -1;
    int mask_directory = -1;  // the one empty tmpfs that all masked directories share
    Identity identity;
    Detail detail = Detail::none;
    std::int64_t value = 0;
    std::size_t current = 0;

    Child(const ChildSetup& from, const char* stack) noexcept : plan(*from.plan), setup(from), callers(stack) {
        for (int& handle : handles) handle = -1;
    }
    [[nodiscard]] int& handle(Handle which) noexcept { return handles[static_cast<std::size_t>(which)]; }
    int fail_with(int error, Detail why) noexcept {
        detail = why;
        return error;
    }
};

// Each carries out one operation: 0, or -errno.
// child_mounts.cpp
int open_source(Child& child, const Op& op) noexcept;
int open_image(Child& child, const Op& op) noexcept;
int open_shared_memory(Child& child, const Op& op) noexcept;
int isolate_mounts() noexcept;
int attach_disk(Child& child, const Op& op) noexcept;
int overlay_root(Child& child, const Op& op) noexcept;
int bind_root(Child& child, const Op& op) noexcept;
int mount_new(Child& child, const Op& op) noexcept;
int set_attributes(Child& child, const Op& op) noexcept;
int attach_source(Child& child, const Op& op) noexcept;
int mask(Child& child, const Op& op) noexcept;
int make_path_read_only(Child& child, const Op& op) noexcept;
int seal(Child& child, const Op& op) noexcept;
int pivot(Child& child) noexcept;
// child_devices.cpp
int make_entry(Child& child, const Op& op) noexcept;
int open_terminal(Child& child) noexcept;
int take_terminal(Child& child) noexcept;
int open_null(Child& child, const Op& op) noexcept;
// child_process.cpp
int set_sysctl(Child& child, const Op& op) noexcept;
int loopback_up() noexcept;
int set_oom_score(const Op& op) noexcept;
int set_apparmor(Child& child, const Op& op) noexcept;
int set_selinux(const Op& op) noexcept;
int join_session_keyring(const Op& op) noexcept;
int resolve_user(Child& child) noexcept;
int enter_directory(Child& child, const Op& op) noexcept;
int become_user(Child& child) noexcept;
int run(Child& child) noexcept;
// child_hooks.cpp
int run_start_hook(Child& child, const Op& op) noexcept;
// child_paths.cpp
inline constexpr std::uint64_t kInRoot = 0x10 | 0x02;        // RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
inline constexpr std::uint64_t kPlainBeneath = 0x08 | 0x04;  // RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
/// Opens (O_PATH) a path inside a root, making what is missing: directories, and last a directory or an empty file.
/// Links are followed as a process in that root would, so that nothing outside is ever reached.
int open_or_make(int root, const char* path, bool directory) noexcept;
/// Opens (O_PATH) a directory that must be one itself, not a link to one; made when missing.
int open_real_directory(Child& child, int root, const char* path) noexcept;
// child_memory.cpp
/// Unmaps everything that came from the engine but the plan: helpers that a container could look into must know nothing
/// of other containers.
void forget_memory(const Child& child) noexcept;
/// Process 1 of a container with `init`: passes signals on, reaps, ends as `main` does.
[[noreturn]] void reap_until(int main) noexcept;
// child.cpp
[[noreturn]] void fail(Child& child, int error) noexcept;
void report(Child& child, const Report& message, int fd) noexcept;

}  // namespace compose::runtime
