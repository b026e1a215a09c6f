// The folders behind RUN --mount=type=cache: who uses them now, and which are to go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/layout.hpp"
#include "sys/fd.hpp"

namespace compose::engine {

/// Where the cache of an id lies; further private ones have a number behind it.
[[nodiscard]] std::string cache_mount_folder(const store::Layout& layout, const std::string& id);
/// While it is held, nobody removes the folder, and it counts as used now, by the mount of this id. Nothing when it is
/// not there (any more).
[[nodiscard]] std::optional<sys::Fd> hold_cache_mount(const std::string& folder, const std::string& id);

struct CacheMount {
    std::string name;  // of the folder
    std::string id;
    std::int64_t size = 0;
    std::int64_t used_at = 0;  // nanoseconds since 1970
};
[[nodiscard]] std::vector<CacheMount> cache_mounts(const store::Layout& layout);
/// Unless somebody uses it. Needs no space on the disk. Returns the bytes.
std::int64_t remove_cache_mount(const store::Layout& layout, const std::string& name);

}  // namespace compose::engine
