// A container that exists, in the shape of Docker's API, as a service of a Compose file. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace compose::cli {

struct GeneratedService {
    std::string name;
    json::object service;
    std::set<std::string> networks, volumes;  // that it names: keys of the file, and names of the objects
    std::vector<std::string> unknown;         // mounts that a file can't tell: what configs and secrets were
};

/// `image`: the image's configuration, {"config": {"Env": ...}}: what it says already is left out. Binds below
/// `folder` become relative; empty: none do.
[[nodiscard]] GeneratedService generated_service(const json::object& container, const json::object& image,
                                                 const std::string& folder);

}  // namespace compose::cli
