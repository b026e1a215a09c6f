// Provider services: a program of the host provides what a container would, and tells its variables to those that
// depend on it. It is called as `TYPE compose --project-name=P up|down|stop --OPTION=VALUE SERVICE` and answers in
// lines of JSON: {"type": "info" | "debug" | "error" | "setenv" | "rawsetenv", "message": "..."}.
#pragma once

#include <compose/engine.hpp>
#include <compose/events.hpp>
#include <compose/project.hpp>
#include <stop_token>
#include <string>
#include <vector>

namespace compose::engine {

[[nodiscard]] bool has_providers(const Project& project);
/// Runs those of the services (and of their dependencies) that are provided, dependencies first. What comes back has
/// them among the disabled services, and their variables in the environment of their dependents, in whose hashes they
/// count. Throws Error when one fails. With `dry_run` none is run.
[[nodiscard]] Project provide(const Project& project, const UpOptions& options, EventSink& events,
                              const std::stop_token& cancel);
/// What is left to be done for containers; nothing when only provided services were named.
[[nodiscard]] std::optional<UpOptions> without_provided(const Project& provided, const UpOptions& options);
/// "down" or "stop", of the services named (empty: all), dependents first. Failures are told as warnings.
void end_providers(const Project& project, const std::vector<std::string>& services, const char* verb,
                   EventSink& events);

}  // namespace compose::engine
