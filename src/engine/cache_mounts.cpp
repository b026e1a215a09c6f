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

}  // namespace

std::string cache_mount_folder(const store::Layout& layout, const std::string& id) {
    return cache_folder(layout) + "/" + std::string(kPrefix) + sha256_hex(id).substr(0, 32);
}

std::optional<sys::Fd> hold_cache_mount(const std::string& folder, const std::string& id) {
    if (!sys::is_directory(folder)) return std::nullopt;
    auto held = sys::open_directory(folder);
    if (!sys::lock(held, sys::LockMode::shared, kPatience))
        throw make_error("the cache {} is being removed for too long", folder);
    // Whoever removed it may have come between.
    if (!sys::is_directory(folder) || sys::inspect(sys::open_directory(folder)).inode != sys::inspect(held).inode)
        return std::nullopt;
    sys::write_file(folder + std::string(kUsed), id, 0600);
    return held;
}

std::vector<CacheMount> cache_mounts(const store::Layout& layout) {
    std::vector<CacheMount> out;
    const auto top = cache_folder(layout);
    if (!sys::is_directory(top)) return out;
    const auto caches = sys::open_directory(top);
    for (const auto& name : sys::list_directory(sys::FdRef(caches))) {
        if (!name.starts_with(kPrefix) || !sys::open_directory_at(caches, name)) continue;
        const auto note = name + std::string(kUsed);
        CacheMount mount{.name = name, .id = {}, .size = tree_size(top + "/" + name), .used_at = 0};
        mount.id = sys::read_file_if_exists(top + "/" + note).value_or("");
        if (const auto used = sys::inspect_at(caches, note))
            mount.used_at = used->mtime_s * 1'000'000'000 + used->mtime_ns;
        out.push_back(std::move(mount));
    }
    return out;
}

std::int64_t remove_cache_mount(const store::Layout& layout, const std::string& name) {
    try {
        const auto caches = sys::open_directory(cache_folder(layout));
        const auto folder = sys::open_directory_at(caches, name);
        if (!folder || !sys::lock(*folder, sys::LockMode::exclusive, kNoWait)) return 0;
        const auto size = tree_size(cache_folder(layout) + "/" + name);
        auto gone = name;
        if (!name.ends_with(kGone)) {
            gone = name + "-" + sys::random_id().substr(0, 8) + std::string(kGone);
            sys::rename_at(caches, name, caches, gone);
            sys::remove_tree_at(caches, name + std::string(kUsed));
        }
        sys::remove_tree_at(caches, gone);
        return size;
    } catch (const Error& error) {
        log::debug("remove the cache {}: {}", name, error.what());
        return 0;
    }
}

}  // namespace compose::engine
