// Building the image of a service, as the engine's other parts ask for it.
#pragma once

#include <compose/events.hpp>
#include <compose/project.hpp>
#include <stop_token>
#include <string>

#include "store/store.hpp"

namespace compose::engine {

/// Builds what `service.build` says and names it `service.image`; returns the image's id.
[[nodiscard]] std::string build_service_image(store::Store& store, EventSink& events, const Project& project,
                                              const Service& service, std::stop_token cancel);

}  // namespace compose::engine
