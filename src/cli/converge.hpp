// What `up`, `create` and `scale` share: making containers what the file says.
#pragma once

#include <compose/engine.hpp>
#include <map>
#include <string>
#include <vector>

namespace compose::cli {

class Context;

/// "web=3" of --scale and of `scale`. Throws Error(usage).
[[nodiscard]] std::map<std::string, int> parse_scale(const std::vector<std::string>& texts, const char* flag);
/// Throws Error(usage) when both are given.
void exclude(const char* command, bool first, const char* first_name, bool second, const char* second_name);
/// Orphans as flags and COMPOSE_REMOVE_ORPHANS, COMPOSE_IGNORE_ORPHANS say.
void set_orphans(const Context& context, const char* command, bool remove, UpOptions& options);
/// Loads, plans, does or (in a dry run) prints. Returns the exit status.
int converge(Context& context, const char* title, const std::vector<std::string>& services, const UpOptions& options);

}  // namespace compose::cli
