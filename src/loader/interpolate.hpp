// Variables in the values of a tree. Keys are never expanded, and what a variable brought in is never expanded again;
// the type that an attribute wants is given later, by the schema.
#pragma once

#include <compose/diagnostics.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loader/trace.hpp"
#include "model/node.hpp"

namespace compose {

/// Expands every string below `root` in place. `warned` holds the unset variables already reported in this load.
/// `trace` (may be null) learns what was expanded.
void interpolate(Node& root, const std::map<std::string, std::string>& environment, std::set<std::string>& warned,
                 Diagnostics& findings, Trace* trace = nullptr);

/// One text outside a tree (a project name, a path); nothing after a reported failure.
[[nodiscard]] std::optional<std::string> interpolate_text(const Node& text, const std::string& path,
                                                          const std::map<std::string, std::string>& environment,
                                                          std::set<std::string>& warned, Diagnostics& findings);

}  // namespace compose
