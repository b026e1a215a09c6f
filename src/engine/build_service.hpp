// A service's `build:` as a build.
#pragma once

#include <compose/build.hpp>
#include <compose/events.hpp>
#include <compose/project.hpp>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "store/layout.hpp"

namespace compose::engine {

/// `service` has a build. Contexts "service:X" become the image that X stands for now.
[[nodiscard]] BuildRequest build_request_of(const Project& project, const Service& service);
/// What must be built for some services, and in which order.
struct ServiceBuilds {
    std::vector<std::string> services;            // each after all that it needs
    std::vector<std::vector<std::size_t>> needs;  // of each, by its place in `services`
};
/// The services that have a build and, before each, those that its contexts name as "service:X"; throws Error(invalid)
/// for a cycle and for an X that can't be built. Services of one Dockerfile and context need each other in turn: the
/// second finds the steps of the first.
[[nodiscard]] ServiceBuilds plan_builds(const Project& project, const std::vector<std::string>& services);
/// Builds and tags, those that don't need each other at the same time, at most `parallel`. Tells `events` under
/// "Image NAME". What is wrong with a Dockerfile is thrown as one error with its places.
void build_service_images(const store::Layout& layout, EventSink& events, const Project& project,
                          const std::vector<std::string>& services, int parallel, const std::stop_token& cancel);
/// Tells what build_service_images() would, and builds nothing.
void tell_service_builds(EventSink& events, const Project& project, const std::vector<std::string>& services);

}  // namespace compose::engine
