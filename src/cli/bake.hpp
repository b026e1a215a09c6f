// Builds as a file for `docker buildx bake`, for whoever wants to see or keep them.
#pragma once

#include <compose/build.hpp>
#include <string>
#include <vector>

namespace compose::cli {

/// JSON with one target for each request, by its name, and a group of all. Values of secrets are not in it.
[[nodiscard]] std::string bake_text(const std::vector<BuildRequest>& requests);

}  // namespace compose::cli
