// From the flags of `docker run` to the model: a project of one service. Pure but for reading the files that flags
// name, which is injected. Mistakes are Error(usage).
#pragma once

#include <compose/project.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/flag_mounts.hpp"
#include "cli/run_flags.hpp"

namespace compose::cli {

inline constexpr const char* kDefaultNetwork = "bridge";

struct RunSurroundings {
    std::string working_dir;
    std::map<std::string, std::string> environment;
    std::function<std::string(const std::string& path)> read_file;
};

struct Standalone {
    static constexpr const char* kService = "container";
    Project project;                            // one service; its networks and volumes are external: made beforehand
    std::map<std::string, VolumeWish> volumes;  // by name; those that don't exist are made from this
    std::vector<std::string> warnings;

    [[nodiscard]] Service& service() { return project.services.at(kService); }
};

[[nodiscard]] Standalone make_standalone(const RunFlags& flags, const RunSurroundings& around);

}  // namespace compose::cli
