// A volume that is empty when a container is made takes what the image has at the place where it is mounted: content,
// owner and mode.
#pragma once

#include <string>

#include "engine/image_facts.hpp"
#include "store/store.hpp"

namespace compose::engine {

/// `folder`: where the volume's content lies. Of several who find it empty one fills it, the others wait. What a killed
/// copy has left is done again.
void fill_volume(const store::Store& store, const std::string& name, const std::string& folder,
                 const std::string& target, const ImageFacts& image);

}  // namespace compose::engine
