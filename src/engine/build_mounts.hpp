// What RUN --mount brings into a step's container. Nothing of the host is mounted itself: contexts come as copies,
// stages read-only, caches from the engine's own folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "build/steps.hpp"
#include "engine/agent_relay.hpp"
#include "engine/build_shared.hpp"
#include "runtime/spec.hpp"
#include "sys/file.hpp"

namespace compose::engine {

class StepMounts {
public:
    StepMounts(BuildShared& shared, store::Store& store, const std::vector<build::RunMount>& mounts);
    ~StepMounts();
    StepMounts(const StepMounts&) = delete;
    StepMounts& operator=(const StepMounts&) = delete;

    [[nodiscard]] const std::vector<runtime::MountSpec>& specs() const { return specs_; }
    [[nodiscard]] const std::vector<std::string>& environment() const { return environment_; }

private:
    void bind(const build::RunMount& mount);
    void cache(const build::RunMount& mount);
    void secret(const build::RunMount& mount);
    void ssh(const build::RunMount& mount);
    [[nodiscard]] std::string snapshot(const build::SourceTree& tree, const std::string& source);
    [[nodiscard]] std::string take_cache(const std::string& folder, const build::RunMount& mount);
    [[nodiscard]] std::string lock_cache(const std::string& folder, const build::RunMount& mount);
    [[nodiscard]] std::string private_file();
    void make_cache(const std::string& place, const build::RunMount& mount);

    BuildShared& shared_;
    store::Store& store_;
    std::vector<runtime::MountSpec> specs_;
    std::vector<std::string> environment_;
    std::vector<sys::FileLock> locks_;
    std::vector<sys::Fd> held_;  // caches
    std::string secrets_;        // folder of them, and of the agents' sockets
    std::vector<std::unique_ptr<AgentRelay>> agents_;
};

/// What of the mounts decides whether a step must run again: content of bind mounts, but of no other kind.
[[nodiscard]] std::string mounts_key(BuildShared& shared, store::Store& store,
                                     const std::vector<build::RunMount>& mounts);

}  // namespace compose::engine
