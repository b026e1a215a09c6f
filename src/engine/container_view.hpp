// Containers as `ps` shows them.
#pragma once

#include <chrono>
#include <compose/engine.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// `project` empty: of all.
[[nodiscard]] std::vector<ContainerView> container_views(store::Store& store, const std::string& project);
[[nodiscard]] ContainerView container_view(store::Store& store, store::Container row);
/// "Up 3 minutes (healthy)", "Exited (1) 2 hours ago", "Restarting (1) 5 seconds ago", "Created", "Dead". Pure.
/// What ended it, when nobody asked for that: "out of memory", "SIGSEGV"; else empty.
[[nodiscard]] std::string cause_of_end(const store::Container& row);
[[nodiscard]] std::string status_text(const ContainerView& view, std::chrono::sys_time<std::chrono::nanoseconds> now);

}  // namespace compose::engine
