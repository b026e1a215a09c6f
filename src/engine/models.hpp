// Models: the plugin docker-model fetches them, sets them up and serves them on one address.
#pragma once

#include <compose/events.hpp>
#include <compose/project.hpp>

#include "engine/provided.hpp"

namespace compose::engine {

/// `docker-model pull`, unless it is here, then `configure`, then `status` for the address. Throws ProjectError with
/// what the plugin said.
[[nodiscard]] ModelAnswer prepare_model(const Model& model, EventSink& events);

}  // namespace compose::engine
