// An empty new volume takes what the image has at the place where it is mounted: content, owner and mode.
#pragma once

#include <string>

#include "engine/image_facts.hpp"
#include "store/store.hpp"

namespace compose::engine {

/// Once for each volume, whoever comes first; others wait for it.
void fill_volume(store::Store& store, const std::string& name, const std::string& target, const ImageFacts& image);

}  // namespace compose::engine
