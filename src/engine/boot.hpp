// After the machine has started: what a restart policy promises, for all projects.
#pragma once

#include <compose/engine.hpp>
#include <compose/events.hpp>

#include "store/store.hpp"

namespace compose::engine {

/// Starts the containers that were up, or came down with the machine, and whose policy is always or unless-stopped.
/// Projects come one after the other; within one, what joins another container's namespaces comes after that one.
/// Failures are told as error events; returns how many there were.
[[nodiscard]] std::size_t start_after_boot(store::Store& store, EventSink& events, const EngineOptions& options);

}  // namespace compose::engine
