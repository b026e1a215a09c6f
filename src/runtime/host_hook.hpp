// Programs of the host that have something to do at a point of a container's life, as OCI's runtime specification has
// it. Who starts one waits for it by its pidfd; nothing here blocks.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "sys/clone.hpp"
#include "sys/fd.hpp"

namespace compose::runtime {

struct ContainerSpec;

struct HostHook {
    std::string stage;                // as OCI calls it: "createContainer"
    std::string path;                 // of the program, on the host
    std::vector<std::string> args;    // with its own name; empty: the path
    std::vector<std::string> env;     // "K=V": all that it has
    std::chrono::seconds timeout{0};  // then it is killed; 0: never
    std::string origin;               // the file that asks for it, for messages
};

/// What such a program reads from its standard input.
struct HookState {
    std::string id;
    std::string status;  // "creating", "created", "running", "stopped"
    pid_t pid = 0;       // 0: there is none any more
    std::string bundle;  // folder of config.json
};
[[nodiscard]] std::string to_json(const HookState& state);
/// What they look up in the bundle's config.json: where the root is, before it becomes "/".
[[nodiscard]] std::string bundle_config(const ContainerSpec& spec);

class HookProcess {
public:
    /// `inside`: in the mount, network, IPC and UTS namespaces of this process, else in our own. `for_keeper`: it is a
    /// child of this process's parent. Throws Error when there is no such program.
    static HookProcess start(const HostHook& hook, const HookState& state, sys::FdRef inside, bool for_keeper);

    [[nodiscard]] pid_t pid() const { return process_.pid; }
    [[nodiscard]] sys::FdRef pidfd() const { return process_.pidfd; }
    void kill() noexcept;
    /// The first bytes that it has written.
    [[nodiscard]] std::string output() const;

private:
    sys::ClonedProcess process_;
    sys::Fd output_;
};

/// "createContainer hook /usr/bin/x of /etc/cdi/x.json failed with status 1: what it said"
[[nodiscard]] std::string hook_failure(const HostHook& hook, int exit_code, bool timed_out, const std::string& output);

}  // namespace compose::runtime
