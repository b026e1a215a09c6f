// Programs of the host that have something to do at a point of a container's life, as OCI's runtime specification has
// it. Who starts one waits for it by its pidfd; nothing here blocks.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/capabilities.hpp"
#include "runtime/spec.hpp"
#include "sys/clone.hpp"
#include "sys/fd.hpp"

namespace compose::runtime {

inline constexpr const char* kOciVersion = "1.0.2";  // of the specification that hooks go by

/// What such a program reads from its standard input.
struct HookState {
    std::string id;
    std::string status;  // "creating", "created", "running", "stopped"
    pid_t pid = 0;       // 0: there is none any more
    std::string bundle;  // folder of config.json
};
[[nodiscard]] std::string to_json(const HookState& state);
/// What they look up in the bundle's config.json, as OCI has it: the process, the mounts, and where the root is before
/// it becomes "/".
[[nodiscard]] std::string bundle_config(const ContainerSpec& spec, CapabilitySet capabilities);
/// Makes config.json and an empty folder "rootfs" in the spec's bundle.
void write_bundle(const ContainerSpec& spec);

class HookProcess {
public:
    /// `container`: its first process, while it waits with its root mounted. The hooks of that time see its mounts, and
    /// so whatever they mount below the root is there for it; those of createContainer are in its network, IPC and UTS
    /// namespaces too. `for_keeper`: it is a child of this process's parent. Throws Error when there is no such
    /// program.
    static HookProcess start(const HostHook& hook, const HookState& state, sys::FdRef container, bool for_keeper);

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
