// What stands around the Compose files: which files a command means, the project's folder, and the variables that .env
// files add to the environment.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <string>
#include <vector>

#include "loader/source_files.hpp"

namespace compose {

struct ProjectPlace {
    std::vector<std::string> config_files;           // absolute, in merge order; "-" for standard input
    std::string folder;                              // absolute: what relative paths of these files are relative to
    std::map<std::string, std::string> environment;  // the caller's, then .env files
    std::vector<std::string> environment_files;      // absolute: those that were read
};

/// Reports a missing or remote file, and that there is none; `config_files` is empty then.
[[nodiscard]] ProjectPlace locate_project(const LoadRequest& request, SourceFiles& files, Diagnostics& findings);

/// Adds the variables of a .env file to `environment`, which wins.
void add_dotenv(std::uint32_t file, std::map<std::string, std::string>& environment, Diagnostics& findings);

}  // namespace compose
