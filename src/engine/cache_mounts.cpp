#include "engine/cache_mounts.hpp"

#include <chrono>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/tree_size.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

constexpr std::string_view kPrefix = "mount-";
// A file beside the folder, whose time says when it was used last.
constexpr std::string_view kUsed = ".used";
// A folder that is to go, whatever stops us in the middle.
constexpr std::string_view kGone = ".gone";
constexpr std::chrono::milliseconds kNoWait{0};
constexpr std::chrono::seconds kPatience{30};

std::string cache_folder(const store::Layout& layout) {
    return layout.builds() + "/cache";
}

std::int64_t used_at(sys::FdRef folder, const std::string& name) {
    const auto info = sys::inspect_at(folder, name + std::string(kUsed));
    return info ? info->mtime_s * 1'000'000'000 + info->mtime_ns : 0;
}

}  // namespace

std::string cache_mount_folder(const store::Layout& layout, const std::string& id) {
    return cache_folder(layout) + "/" + std::string(kPrefix) + sha256_hex(id).substr(0, 32);
}

std::optional<sys::Fd> hold_cache_mount(const std::string& folder) {
    if (!sys::is_directory(folder)) return std::nullopt;
    auto held = sys::open_directory(folder);
    if (!sys::lock(held, sys::LockMode::shared, kPatience))
        throw make_error("the cache {} is being removed for too long", folder);
    // Whoever removed it may have come between.
    if (!sys::is_directory(folder) || sys::inspect(sys::open_directory(folder)).inode != sys::inspect(held).inode)
        return std::nullopt;
    sys::write_file(folder + std::string(kUsed), "", 0600);
    return held;
}

std::int64_t cache_mounts_size(const store::Layout& layout) {
    if (!sys::is_directory(cache_folder(layout))) return 0;
    std::int64_t size = 0;
    const auto caches = sys::open_directory(cache_folder(layout));
    for (const auto& name : sys::list_directory(sys::FdRef(caches)))
        if (name.starts_with(kPrefix) && sys::open_directory_at(caches, name))
            size += tree_size(cache_folder(layout) + "/" + name);
    return size;
}

std::int64_t prune_cache_mounts(const store::Layout& layout, std::int64_t before) {
    if (!sys::is_directory(cache_folder(layout))) return 0;
    std::int64_t freed = 0;
    const auto caches = sys::open_directory(cache_folder(layout));
    for (auto name : sys::list_directory(sys::FdRef(caches))) {
        const auto folder = name.starts_with(kPrefix) ? sys::open_directory_at(caches, name) : std::nullopt;
        if (!folder || used_at(caches, name) >= before || !sys::lock(*folder, sys::LockMode::exclusive, kNoWait))
            continue;
        try {
            const auto size = tree_size(cache_folder(layout) + "/" + name);
            if (!name.ends_with(kGone)) {
                const auto gone = name + "-" + sys::random_id().substr(0, 8) + std::string(kGone);
                sys::rename_at(caches, name, caches, gone);
                sys::remove_tree_at(caches, name + std::string(kUsed));
                name = gone;
            }
            sys::remove_tree_at(caches, name);
            freed += size;
        } catch (const Error& error) {
            log::debug("remove the cache {}: {}", name, error.what());
        }
    }
    return freed;
}

}  // namespace compose::engine
