// Images in the store: import, list, remove. The formats are src/image's.
#pragma once

#include <compose/engine.hpp>
#include <compose/events.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

[[nodiscard]] std::string import_image(store::Store& store, EventSink& events, int fd, const std::string& reference,
                                       const std::vector<std::string>& changes, const std::string& message);
[[nodiscard]] std::vector<ImageView> list_images(const store::Store& store);
/// By name or id. An id with several names, or one that is not the last name of an image in use, needs `force` as
/// Docker's does.
[[nodiscard]] std::vector<std::string> remove_image(store::Store& store, const std::string& reference, bool force);

}  // namespace compose::engine
