// What stands around the Compose files: which files a command means, the project's folder, and the variables that .env
// files add to the environment.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "loader/source_files.hpp"

namespace compose {

/// "compose.yaml" and its like, in the order in which they are looked for.
[[nodiscard]] std::span<const char* const> default_file_names();

struct ProjectPlace {
    std::vector<std::string> config_files;           // absolute, in merge order; "-" for standard input; or addresses
    std::string folder;                              // absolute: what relative paths of these files are relative to;
                                                     // empty: the folder of the first file's copy, not fetched yet
    std::string naming_folder;                       // absolute: a project without a name is called like it
    std::map<std::string, std::string> environment;  // the caller's, then .env files
    std::vector<std::string> environment_files;      // absolute: those that were read
};

/// Reports a missing file, and that there is none; `config_files` is empty then. Fetches nothing: what lies elsewhere
/// has no say in the environment that the program itself runs with.
[[nodiscard]] ProjectPlace locate_project(const LoadRequest& request, SourceFiles& files, Diagnostics& findings);

/// Adds the variables of a .env file to `environment`, which wins.
void add_dotenv(std::uint32_t file, std::map<std::string, std::string>& environment, Diagnostics& findings);

}  // namespace compose
