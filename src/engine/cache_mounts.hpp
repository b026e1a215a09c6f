// The folders behind RUN --mount=type=cache: who uses them now, and which are to go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/layout.hpp"
#include "sys/fd.hpp"

namespace compose::engine {

/// Where the cache of an id lies; further private ones have a number behind it.
[[nodiscard]] std::string cache_mount_folder(const store::Layout& layout, const std::string& id);
/// While it is held, nobody removes the folder. Nothing when it is not there (any more).
[[nodiscard]] std::optional<sys::Fd> hold_cache_mount(const std::string& folder);

/// Bytes in all of them.
[[nodiscard]] std::int64_t cache_mounts_size(const store::Layout& layout);
/// Removes those that nobody uses, and nobody has used since `before` (nanoseconds since 1970). Needs no space on the
/// disk. Returns the bytes.
std::int64_t prune_cache_mounts(const store::Layout& layout, std::int64_t before);

}  // namespace compose::engine
