// New limits for a container that exists. Pure.
#pragma once

#include <compose/containers.hpp>

#include "runtime/spec.hpp"

namespace compose::engine {

/// What `changes` says nothing of stays.
void apply_changes(const LimitChanges& changes, runtime::Resources& limits);

}  // namespace compose::engine
