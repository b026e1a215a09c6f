// pre_start: containers of their own that must end well, one after the other, before a service's first container
// starts.
#pragma once

#include <compose/service.hpp>

#include "engine/action_context.hpp"

namespace compose::engine {

/// Before `container` starts. Those of the service as a whole: nothing when a container of the service runs already, or
/// when another action of the same plan has done it; those with `per_replica` run before each, with its own number and
/// anonymous volumes. Throws in Docker Compose's words, with the last lines that the failed one wrote.
void run_pre_start(const Service& service, const std::string& container, ActionContext& context, Session& session);

}  // namespace compose::engine
