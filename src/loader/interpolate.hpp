// Variables in the values of a tree. Keys are never expanded, and what a variable brought in is never expanded again;
// the type that an attribute wants is given later, by the schema.
#pragma once

#include <compose/diagnostics.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loader/budget.hpp"
#include "loader/trace.hpp"
#include "model/node.hpp"

namespace compose {

/// What the expansions of one load share.
struct Interpolation {
    Budget& budget;
    Trace* trace = nullptr;          // learns what was expanded; null: nobody asks
    std::set<std::string> warned{};  // unset variables that were reported
};

/// Expands every string below `root` in place.
void interpolate(Node& root, const std::map<std::string, std::string>& environment, Interpolation& load,
                 Diagnostics& findings);

/// One text outside a tree (a project name, a path); nothing after a reported failure.
[[nodiscard]] std::optional<std::string> interpolate_text(const Node& text, const std::string& path,
                                                          const std::map<std::string, std::string>& environment,
                                                          Interpolation& load, Diagnostics& findings);

}  // namespace compose
