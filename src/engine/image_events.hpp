// What happens to images, for `events`.
#pragma once

#include <string>
#include <vector>

#include "store/layout.hpp"

namespace compose::engine {

/// `action`: pull, push, tag, import, load, save. `id`: of the image, or the name where a registry is concerned.
void tell_image(const store::Layout& layout, const char* action, const std::string& id, const std::string& name);
/// `lines` of a removal: "Untagged: NAME", "Deleted: ID".
void tell_removed_images(const store::Layout& layout, const std::vector<std::string>& lines);

}  // namespace compose::engine
