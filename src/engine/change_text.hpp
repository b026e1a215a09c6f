// A plan as changes with their reasons, field by field where a definition differs.
#pragma once

#include <compose/engine.hpp>
#include <compose/plan.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// "environment.A: \"1\" -> \"2\"", "ports[0]: added {...}": where two definitions (JSON) differ. Values of fields
/// whose names speak of secrets are left out.
[[nodiscard]] std::vector<std::string> differences(std::string_view before, std::string_view after);
[[nodiscard]] std::vector<PlannedChange> describe_plan(const Plan& plan, const Project& project,
                                                       const ObservedState& observed, const store::Store& store);

}  // namespace compose::engine
