// A plan as changes with their reasons, field by field where a definition differs.
#pragma once

#include <compose/engine.hpp>
#include <compose/plan.hpp>
#include <map>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// A service as a container was made from it, or would be.
struct Described {
    std::string definition;                            // JSON
    std::map<std::string, std::string> contents{};     // Service::contents
    std::map<std::string, std::string> value_files{};  // Service::value_files
};
/// "environment.A: \"1\" -> \"2\"", "ports[0]: added {...}", "secret key: content changed", "env_file web.env: A
/// changed": where the two differ. Values of fields whose names speak of secrets are left out, and all that come from
/// files.
[[nodiscard]] std::vector<std::string> differences(const Described& before, const Described& after);
[[nodiscard]] std::vector<PlannedChange> describe_plan(const Plan& plan, const Project& project,
                                                       const ObservedState& observed, const store::Store& store);

}  // namespace compose::engine
