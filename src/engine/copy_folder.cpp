#include "engine/copy_folder.hpp"

#include <chrono>

#include "base/error.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/private_path.hpp"
#include "sys/tree.hpp"

namespace compose::engine {

namespace {

constexpr std::chrono::minutes kPatience{15};  // longer than git may take

}  // namespace

std::string keep_copy(const std::string& parent, const std::string& key,
                      const std::function<void(const std::string& folder)>& fill) {
    sys::make_private_directory(parent);
    const auto place = parent + "/" + key;
    if (sys::is_directory(place)) return place;
    // The unfinished one is never removed, only emptied: so its lock is the same for all who wait for it.
    const auto unfinished = place + ".part";
    sys::make_private_directory(unfinished);
    const auto folder = sys::open_directory(unfinished);
    if (!sys::lock(folder, sys::LockMode::exclusive, kPatience))
        throw make_error("another command has been fetching to {} for too long", unfinished);
    if (sys::is_directory(place)) return place;
    for (const auto& name : sys::list_directory(folder)) sys::remove_tree_at(folder, name);
    fill(unfinished);
    sys::sync_file_system(folder);
    sys::rename_over(unfinished, place);
    return place;
}

}  // namespace compose::engine
