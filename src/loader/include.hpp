// From a list of Compose files to one tree: every file is made canonical, gets what it includes and extends, and is put
// on top of those before it. An included project is loaded the same way, with its own folder and its own .env.
#pragma once

#include <string>
#include <vector>

#include "loader/compose_file.hpp"

namespace compose {

[[nodiscard]] Node load_model(LoadSession& session, std::vector<RawFile> files, const std::string& folder,
                              const Environment& environment);

}  // namespace compose
