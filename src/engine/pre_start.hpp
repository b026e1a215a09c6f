// pre_start: containers of their own that must end well, one after the other, before a service's first container
// starts.
#pragma once

#include <compose/service.hpp>

#include "engine/action_context.hpp"

namespace compose::engine {

/// Nothing when a container of the service runs already, or when another action of the same plan has done it. Throws in
/// Docker Compose's words, with the last lines that the failed one wrote.
void run_pre_start(const Service& service, ActionContext& context, Session& session);

}  // namespace compose::engine
