// Layers on the disk: a folder per chain id, unpacked once, shared read-only, never changed afterwards. A folder that
// has its final name is complete.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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

/// The same in two steps, for callers who want to know more of the archive before it becomes a layer.
class PendingLayer {
public:
    /// `lowest`: nothing will lie below it.
    PendingLayer(const std::string& layers_dir, bool lowest);
    ~PendingLayer();
    PendingLayer(const PendingLayer&) = delete;
    PendingLayer& operator=(const PendingLayer&) = delete;

    /// Reads the tar to its end.
    void read(sys::FdRef tar);
    /// What it is so far: without a chain id.
    [[nodiscard]] const UnpackedLayer& layer() const;
    /// Syncs the file system and makes it a layer for good.
    [[nodiscard]] UnpackedLayer commit(const std::string& parent_chain_id);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The name of the folder of a layer (64 hex) above the parent's; `diff_id` is "sha256:...".
[[nodiscard]] std::string chain_id(const std::string& parent_chain_id, const std::string& diff_id);
[[nodiscard]] bool has_layer(const std::string& layers_dir, const std::string& chain_id);

/// Held from before unpacking until the image's row is written: meanwhile no layer is removed as unused. Throws when
/// layers are being removed for too long.
class LayerLease {
public:
    explicit LayerLease(const std::string& layers_dir);

private:
    sys::Fd fd_;
};

/// Removes layers that are not in `in_use` (chain ids) and what dead processes left. Returns the removed chain ids.
std::vector<std::string> remove_unused_layers(const std::string& layers_dir, const std::vector<std::string>& in_use);
/// The same, with `in_use` asked once no image can be half made: the race-free form. Does nothing while a lease is
/// held.
std::vector<std::string> remove_unused_layers(const std::string& layers_dir,
                                              const std::function<std::vector<std::string>()>& in_use);

}  // namespace compose::image
