// A service's `build:` as a build.
#pragma once

#include <compose/build.hpp>
#include <compose/events.hpp>
#include <compose/project.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// `service` has a build. Contexts "service:X" become the image that X stands for now.
[[nodiscard]] BuildRequest build_request_of(const Project& project, const Service& service);
/// The services and, before each, those that its contexts name as "service:X"; throws Error(invalid) for a cycle and
/// for an X that can't be built.
[[nodiscard]] std::vector<std::string> build_order(const Project& project, const std::vector<std::string>& services);
/// Builds and tags; returns the id. Tells `events` under "Image NAME". What is wrong with the Dockerfile is thrown as
/// one error with its places.
std::string build_service_image(store::Store& store, EventSink& events, const Project& project, const Service& service,
                                const std::stop_token& cancel);

}  // namespace compose::engine
