// Sending what was built to the registries of its names.
#pragma once

#include <string>
#include <vector>

#include "engine/build_shared.hpp"
#include "image/reference.hpp"

namespace compose::engine {

/// One step of the build's progress for each tag. Returns the digest of the manifest.
std::string push_tags(BuildShared& shared, const std::vector<image::Reference>& tags);

}  // namespace compose::engine
