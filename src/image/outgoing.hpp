// An image as it leaves the store: manifest, config and one blob a layer. What came from a registry or an archive goes
// out as it came in; layers that were made here become blobs now.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/content_store.hpp"
#include "image/manifest.hpp"
#include "image/pull.hpp"

namespace compose::image {

struct OutgoingImage {
    std::string config_json;
    Manifest manifest;
    std::string manifest_json;
    std::string manifest_digest;
    /// The config is the stored one. Else the bytes of a layer can't be had again as they were (an imported tar), and
    /// the config was changed to name the ones there are.
    bool faithful = true;
};

/// A layer's blob, and what the blob unpacks to: not the layer's own diff id where its archive can't be made again.
struct PackedLayer {
    Descriptor blob;
    std::string diff_id;
};

struct OutgoingRequest {
    std::string config_json;
    std::vector<std::string> layers;                                     // chain ids, lowest first
    std::string manifest_json;                                           // as it came in; empty: none
    std::function<void(const std::string& diff_id, bool done)> packing;  // a layer is being made a blob
    /// What is known of a layer's blob, by chain id, and where to note one that was made.
    std::function<std::optional<PackedLayer>(const std::string& chain)> known;
    std::function<void(const std::string& chain, const PackedLayer&)> note;
};

/// Blobs that are made stay in the store while a row names them: hold a LayerLease until then, or as long as they are
/// needed.
[[nodiscard]] OutgoingImage prepare_outgoing(const StorePlace& place, const OutgoingRequest& request,
                                             const Interrupt& interrupt);

}  // namespace compose::image
