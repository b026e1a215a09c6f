// Provider services: a program of the host provides what a container would, and tells its variables to those that
// depend on it. It is called as `TYPE compose --project-name=P up|down|stop --OPTION=VALUE SERVICE` and answers in
// lines of JSON: {"type": "info" | "debug" | "error" | "setenv" | "rawsetenv", "message": "..."}. Its
// standard input is one line with the service's configuration, which answers "get-service-config". What options it
// knows and needs, and whether it can stop, it says when asked for `compose metadata`; one that says nothing gets all.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/events.hpp>
#include <compose/plan.hpp>
#include <string>
#include <vector>

#include "engine/provided.hpp"

namespace compose::engine {

/// Asks the program behind a service. Throws ProjectError when it fails or is not there.
[[nodiscard]] ProviderAnswer run_provider(const Project& project, const Service& service, EventSink& events);
/// Tells it that the service goes, or rests; one that can't stop is not asked to. False: it was not asked.
bool end_provider(const Project& project, const Service& service, EndProvider::Verb verb, EventSink& events);

/// The programs that the plan will need are here, or there is a finding that says which is not.
void check_programs(const Project& project, const Plan& plan, std::vector<Diagnostic>& findings);

}  // namespace compose::engine
