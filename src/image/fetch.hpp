// One layer's way from a registry into the store: download, hash and unpack at once, resume what was interrupted.
#pragma once

#include <functional>

#include "image/pull.hpp"

namespace compose::image {

using FetchProgress = std::function<void(LayerProgress::Stage stage, std::int64_t current)>;

/// Appends to the blob what it is missing, and hands the same bytes (also those that it had) to `feed`.
using FillBlob = std::function<void(PartialBlob& blob, const std::function<void(std::string_view)>& feed)>;

/// The same from anywhere: hashes and unpacks what `fill` brings.
[[nodiscard]] StoredLayer store_layer(const StorePlace& place, const LayerJob& job, const Interrupt& interrupt,
                                      const FillBlob& fill, const FetchProgress& progress,
                                      std::vector<std::string>& warnings);

/// Afterwards both the blob and the unpacked layer are here, verified and on the disk.
[[nodiscard]] StoredLayer fetch_layer(Registry& registry, const StorePlace& place, const LayerJob& job,
                                      const FetchProgress& progress, std::vector<std::string>& warnings);
/// The same for a blob as it is: afterwards it is in the store. Hold a LayerLease, or it may be cleared away again.
void fetch_blob(Registry& registry, const ContentStore& blobs, const Descriptor& wanted);
/// A small blob, verified, in memory.
[[nodiscard]] std::string fetch_small(Registry& registry, const Descriptor& blob, std::size_t limit, const char* what);

}  // namespace compose::image
