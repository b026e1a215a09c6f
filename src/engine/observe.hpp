// store + kernel -> ObservedState.
#pragma once

#include <compose/observed.hpp>
#include <compose/project.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// Does the state of `container` hold? Rows say "running" after a reboot too, or when keeper and supervisor were
/// killed.
class Liveness {
public:
    Liveness(const store::Layout& layout, const std::string& project);
    /// Someone supervises the project.
    [[nodiscard]] bool supervised() const { return supervised_; }
    /// What the row's state means now: running or restarting without a supervisor is exited, unless the process itself
    /// is still there.
    [[nodiscard]] store::ContainerState state_of(const store::Container& container) const;
    /// Runs without a supervisor: one must be started, which takes it over.
    [[nodiscard]] bool abandoned(const store::Container& container) const;

private:
    bool supervised_;
    std::string boot_id_;
};

/// `file` (may be null): its networks, volumes, images and names are looked up too.
[[nodiscard]] ObservedState observe(store::Store& store, const std::string& project, const Project* file);

/// For commands that change things: takes over what runs without a supervisor, and writes down what no longer runs.
void repair_liveness(store::Store& store, const std::string& project);

}  // namespace compose::engine
