// What a container has changed of its image: as a list, and as a new image.
#pragma once

#include <compose/containers.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

/// By path; from the upper folder alone, so that it works whether the container runs or not.
[[nodiscard]] std::vector<FileChange> list_changes(const store::Container& row);
/// Returns the new image's id. Whoever wants a consistent image pauses the container before.
[[nodiscard]] std::string commit_image(store::Store& store, const store::Container& row, const CommitOptions& options);

}  // namespace compose::engine
