// Making a container that is no replica: for `run`, and for containers made by hand.
#pragma once

#include <compose/containers.hpp>
#include <string>

#include "store/store.hpp"

namespace compose::engine {

/// The caller holds the project's lock. Networks and volumes of the service are made when they are missing.
[[nodiscard]] std::string make_one_off(store::Store& store, EventSink& events, const std::string& project_name,
                                       const Project& project, const std::string& service,
                                       const CreateOptions& options);

}  // namespace compose::engine
