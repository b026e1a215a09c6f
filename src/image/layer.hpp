// Layers on the disk: a folder per chain id, unpacked once, shared read-only, never changed afterwards. A folder that has
// its final name is complete.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::image {

struct UnpackedLayer {
    std::string diff_id;   // "sha256:..." of the uncompressed tar
    std::string chain_id;  // 64 hex: the name of the folder
    std::int64_t size = 0;
    std::vector<std::string> warnings;  // what was left out, and why; at most a few dozen lines
};

/// Reads a tar (plain, gzip or zstd) to its end. `parent_chain_id` is empty for the lowest layer. All or nothing: a
/// failure or a kill leaves at most a tmp folder that the next call removes. A layer that exists is kept.
[[nodiscard]] UnpackedLayer unpack_layer(sys::FdRef tar, const std::string& layers_dir,
                                         const std::string& parent_chain_id = {});

/// Removes layers that are not in `in_use` (chain ids) and what dead processes left. Returns the removed chain ids.
std::vector<std::string> remove_unused_layers(const std::string& layers_dir, const std::vector<std::string>& in_use);

}  // namespace compose::image
