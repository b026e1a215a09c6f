// post_start and pre_stop: commands run in a container just after it has started and before it is stopped by a command.
#pragma once

#include <string>

#include "engine/action_context.hpp"

namespace compose::engine {

/// One after the other; the first that fails ends it with Docker Compose's words. Nothing for a container that does not
/// run (any more).
enum class HookKind { post_start, pre_stop };
void run_hooks(HookKind kind, const std::string& container_id, Session& session);

}  // namespace compose::engine
