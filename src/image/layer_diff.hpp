// From a folder to a layer: the folder of an unpacked layer or the upper folder of an overlay (whiteouts are character
// devices 0:0, opaque folders carry the overlay's attribute) as a tar with OCI's marks, and the folder itself as a
// layer of the store without copying it.
#pragma once

#include <optional>
#include <string>

#include "image/byte_sink.hpp"
#include "image/layer.hpp"
#include "sys/fd.hpp"

namespace compose::image {

struct LayerTarOptions {
    /// All times later than this are written as this (SOURCE_DATE_EPOCH), in seconds since 1970.
    std::optional<std::int64_t> clamp_time;
};

/// Entries sorted by name, parents first, hard links after the file they name, sockets left out: the same folder gives
/// the same bytes on every run and machine.
void write_layer_tar(sys::FdRef folder, ByteSink& out, const LayerTarOptions& options = {});

/// Makes `folder` (on the file system of `layers_dir`, no longer used by anybody) the layer above `parent_chain_id`:
/// hashes its tar and moves it to its chain id's name. A layer that exists is kept and `folder` removed. Hold a
/// LayerLease from before this until the image's row is written.
[[nodiscard]] UnpackedLayer adopt_layer(const std::string& folder, const std::string& layers_dir,
                                        const std::string& parent_chain_id, const LayerTarOptions& options = {});

}  // namespace compose::image
