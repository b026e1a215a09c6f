// Reading an image's content as a container would see it: layers merged, whiteouts honoured, symbolic links resolved
// inside the image. Nothing is mounted anywhere: the merged view is a mount that has no place and ends with its
// descriptor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::image {

/// The merged, read-only root of the layers (folders, topmost first).
[[nodiscard]] sys::Fd open_image_root(const std::vector<std::string>& lowers);

/// The file's content, links resolved inside the image; nothing when it is not there or not a regular file. Throws when
/// it is longer than `limit`.
[[nodiscard]] std::optional<std::string> read_image_file(const std::vector<std::string>& lowers,
                                                         const std::string& path, std::size_t limit);

/// Copies what the image has in directory `path` into the empty directory `target`, and the directory's own owner and
/// mode to `target`: owners, modes, times, links, extended attributes. False when the image has no directory there
/// (then nothing is changed), or when `target` is not empty. Device nodes are left out. Others may have `target` open:
/// it stays what it is. When it is killed, half a copy is there.
bool copy_up(const std::vector<std::string>& lowers, const std::string& path, const std::string& target);

}  // namespace compose::image
