// The folder of one build and what it made in the kernel: removed at the end, or, after a kill, by the next build.
#pragma once

#include <atomic>
#include <string>

#include "store/store.hpp"
#include "sys/fd.hpp"

namespace compose::engine {

class BuildWorkspace {
public:
    /// Cleans up after dead builds first.
    explicit BuildWorkspace(store::Store& store);
    ~BuildWorkspace();
    BuildWorkspace(const BuildWorkspace&) = delete;
    BuildWorkspace& operator=(const BuildWorkspace&) = delete;

    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    /// A new folder (0755) in it; "what" is the beginning of its name.
    [[nodiscard]] std::string new_folder(const std::string& what);
    /// Removes all that was written to it: the build is over.
    void clear();
    /// The folder's name outlives this build: by it, the next one finds what could not be removed.
    void keep() { kept_ = true; }
    /// Before a container is made: whoever cleans up after us must find it.
    void note_container(const std::string& container_id, const std::string& cgroup_parent) const;
    void forget_container(const std::string& container_id) const;

private:
    const store::Layout layout_;
    std::string id_;
    std::string path_;
    sys::Fd lock_;
    std::atomic<int> next_ = 0;
    bool kept_ = false;
};

/// The name of a build's network.
[[nodiscard]] std::string build_network_name(const std::string& build_id);
/// Removes a network that a build made: kernel objects and row.
void remove_build_network(store::Store& store, const store::Network& row);

}  // namespace compose::engine
