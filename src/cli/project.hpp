// From the global options to a loaded project or its name; prints what the loader found.
#pragma once

#include <compose/engine.hpp>
#include <compose/load.hpp>
#include <string>
#include <vector>

namespace compose::cli {

class Context;

[[nodiscard]] LoadRequest make_load_request(const Context& context);
/// Prints every finding, as JSON for --progress json or when asked to; throws Exit{1} when one is an error.
[[nodiscard]] LoadedProject load(Context& context, const LoadRequest& request, Diagnostics& findings,
                                 bool as_json = false);
/// For commands that run containers: what the engine can't do is an error here, and so is a service that isn't there.
[[nodiscard]] LoadedProject load_for_running(Context& context, const std::vector<std::string>& services,
                                             Diagnostics& findings);
/// The name alone, for commands that work from the state. Throws Error when nothing tells it.
[[nodiscard]] std::string project_name(Context& context);
/// Findings to stderr, in the form that --progress asks for, or as JSON.
void print_findings(const Context& context, const std::vector<Diagnostic>& findings, const SourceMap& sources,
                    bool as_json = false);

/// The views of the services named (all when none is), one-offs left out unless `oneoffs`. A service that neither has a
/// container nor stands in the Compose file is an error: "no such service: x (did you mean y?)".
[[nodiscard]] std::vector<ContainerView> containers_of(Context& context, const std::string& project,
                                                       const std::vector<std::string>& services, bool oneoffs = false);
/// Throws Error(usage) unless `value`, of --pull, is empty or always, missing, never or build.
void check_pull_flag(const std::string& value);
[[noreturn]] void no_such_service(const std::string& name, const std::vector<std::string>& known);

}  // namespace compose::cli
