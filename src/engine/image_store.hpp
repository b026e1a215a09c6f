// Images in the store: import, list, remove. The formats are src/image's.
#pragma once

#include <compose/engine.hpp>
#include <compose/error.hpp>
#include <compose/events.hpp>
#include <compose/images.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

[[nodiscard]] std::string import_image(store::Store& store, EventSink& events, int fd, const std::string& reference,
                                       const std::vector<std::string>& changes, const std::string& message);
[[nodiscard]] std::vector<ImageView> list_images(const store::Store& store);
/// By name or id. An id with several names, or one that is not the last name of an image in use, needs `force` as
/// Docker's does.
[[nodiscard]] std::vector<std::string> remove_image(store::Store& store, const std::string& reference, bool force,
                                                    bool keep_layers = false);
/// Images without a name, or with `all` those that no container uses.
[[nodiscard]] PruneResult prune_images(store::Store& store, const PruneOptions& options);

/// Removes layers and blobs that no image needs, and what was begun and given up if `partial`. Returns the bytes freed;
/// does nothing while someone holds a lease.
std::int64_t collect_garbage(store::Store& store, bool partial);

/// What a failed pull or load does when its lease is gone: on a full disk nothing of it stays, and the error says which
/// folder needs room.
void give_room_back(store::Store& store, Error& error) noexcept;

}  // namespace compose::engine
