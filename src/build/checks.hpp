// What may be wrong with a Dockerfile that can be built: the rules of `--check`. Pure.
#pragma once

#include <compose/diagnostics.hpp>
#include <string>
#include <vector>

#include "build/dockerignore.hpp"
#include "build/stages.hpp"

namespace compose::build {

/// Findings are warnings named by their rule (errors where the file asks for it with "# check=error=true"); rules that
/// the file skips are left out. `instructions`: all of the file, in order.
void lint(const BuildFile& file, const std::vector<Instruction>& instructions, const DockerIgnore& ignore,
          Diagnostics& findings);
/// Whether any ARG of the file has the name.
[[nodiscard]] bool is_declared(const BuildFile& file, const std::string& name);

}  // namespace compose::build
