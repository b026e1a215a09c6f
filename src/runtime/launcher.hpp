// Starting processes in containers: the parent's side. A launch is asynchronous, so that one thread can have many under
// way: begin, connect the network to netns(), release(), then call poll() whenever channel() is readable.
//
//   parent                             child (in new namespaces)
//   begin_launch: clone3(pidfd)  ───►  mounts, pivot_root, hostname, sysctls, limits …
//   connect network, release()   ───►  waits for the release, then drops privileges and execs
//   poll(): end of file = success ◄──  channel closes on exec, or one packet {stage, operation, errno}, then exit
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "runtime/spec.hpp"
#include "sys/fd.hpp"

namespace compose::runtime {

/// What the new process gets as 0, 1 and 2; each end is closed in the parent after the clone. Ignored with a terminal.
struct Stdio {
    sys::Fd in;  // empty: /dev/null
    sys::Fd out;
    sys::Fd err;
};

struct LaunchFailure {
    std::string message;  // "exec: \"nosuch\": executable file not found in $PATH", "mount /proc: permission denied"
    int exit_code = 128;  // 127: command not found, 126: cannot be run, 128: set-up failed
};

class Launch {
public:
    Launch(Launch&&) noexcept;
    Launch& operator=(Launch&&) noexcept;
    ~Launch();  // a launch that neither succeeded nor failed is killed; its parent (CLONE_PARENT) reaps it

    [[nodiscard]] pid_t pid() const;
    [[nodiscard]] sys::FdRef pidfd() const;
    /// The network namespace of the new process.
    [[nodiscard]] sys::Fd open_netns() const;
    /// The network is ready: the child may go on to exec. Without effect on an exec in a running container, which waits
    /// for nothing.
    void release();
    /// Readable when poll() has news.
    [[nodiscard]] sys::FdRef channel() const;
    /// Running once the exec has happened; throws nothing: a failure is left in failure(). The process of a failed
    /// launch ends by itself, with failure().exit_code, and is to be reaped like any other.
    enum class State { pending, running, failed };
    [[nodiscard]] State poll();
    [[nodiscard]] const LaunchFailure& failure() const;
    /// Of one that is held (ContainerSpec::held): it waits for its release with its root mounted, but not yet entered.
    [[nodiscard]] bool mounted() const;
    /// After running: the process's handles now belong to the caller.
    [[nodiscard]] sys::Fd take_pidfd();
    /// With a terminal: its master end, once running. (The child opens the pty in the container's own devpts and sends
    /// the master over the channel; the parent checks that it is one.)
    [[nodiscard]] sys::Fd take_terminal();

    struct Impl;
    explicit Launch(std::unique_ptr<Impl> impl);

private:
    std::unique_ptr<Impl> impl_;
};

/// First processes of the containers whose namespaces the spec joins; empty where it joins none.
struct JoinTargets {
    sys::FdRef network, pid, ipc;
};

/// Prepares the cgroup and clones the container's first process. Throws Error when it can't even begin; nothing is left
/// then. The child's parent is the caller's parent (CLONE_PARENT) when `for_keeper`, else the caller.
[[nodiscard]] Launch begin_launch(const ContainerSpec& spec, Stdio stdio, bool for_keeper,
                                  const JoinTargets& joins = {});

struct ExecTarget {
    pid_t pid = 0;  // the container's first process, verified alive through its pidfd
    sys::FdRef pidfd;
};

/// Starts another process in a running container: same namespaces, cgroup, capabilities, seccomp filter and limits.
/// Returns when the process exists, so pid() is known; throws Error when it can't come to that (the container is gone
/// or paused). For a keeper the process is first the child of a helper that ends at once, and then of the nearest
/// sub-reaper, which the keeper must therefore be.
[[nodiscard]] Launch begin_exec(const ContainerSpec& spec, ExecTarget target, const ProcessSpec& process, Stdio stdio,
                                bool for_keeper);

/// Must be called once, early in main of any process that launches: fixes what is costly (the default seccomp program).
void prepare_launcher();

}  // namespace compose::runtime
