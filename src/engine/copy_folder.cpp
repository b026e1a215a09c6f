#include "engine/copy_folder.hpp"

#include "base/error.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/private_path.hpp"
#include "sys/tree.hpp"

namespace compose::engine {

namespace {

constexpr std::chrono::minutes kPatience{15};  // longer than git may take
constexpr int kMaxAttempts = 100;              // others may finish it or clear it away so often
constexpr std::string_view kUnfinished = ".part";
constexpr std::string_view kRemoved = ".gone";

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(sys::wall_now().time_since_epoch()).count();
}

/// Is it still the folder of that name?
bool is_at(sys::FdRef folder, sys::FdRef parent, const std::string& name) {
    const auto there = sys::inspect_at(parent, name);
    return there && there->inode == sys::inspect(folder).inode;
}

}  // namespace

std::string find_copy(const std::string& parent, const std::string& key) {
    if (!sys::is_directory(parent)) return {};
    const auto above = sys::open_directory(parent);
    const auto folder = sys::open_directory_at(above, key);
    // Whoever removes it holds its lock: afterwards it has another name.
    if (!folder || !sys::lock(*folder, sys::LockMode::shared, kPatience) || !is_at(*folder, above, key)) return {};
    sys::set_mtime(*folder, now(), 0);
    return parent + "/" + key;
}

std::string keep_copy(const std::string& parent, const std::string& key,
                      const std::function<void(const std::string& folder)>& fill) {
    sys::make_private_directory(parent);
    const auto above = sys::open_directory(parent);
    const auto name = key + std::string(kUnfinished);
    for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
        if (auto found = find_copy(parent, key); !found.empty()) return found;
        sys::make_private_directory(parent + "/" + name);
        const auto folder = sys::open_directory_at(above, name);
        if (!folder) continue;
        if (!sys::lock(*folder, sys::LockMode::exclusive, kPatience))
            throw make_error("another command has been fetching to {}/{} for too long", parent, name);
        // Meanwhile another one may have finished it, or have cleared it away.
        if (!is_at(*folder, above, name)) continue;
        for (const auto& entry : sys::list_directory(*folder)) sys::remove_tree_at(*folder, entry);
        fill(parent + "/" + name);
        sys::sync_file_system(*folder);
        sys::set_mtime(*folder, now(), 0);
        sys::rename_at(above, name, above, key);
        return parent + "/" + key;
    }
    throw make_error("{} is taken away again and again", parent + "/" + key);
}

bool remove_copy(const std::string& parent, const std::string& key, std::chrono::seconds age) {
    const auto above = sys::open_directory(parent);
    const auto folder = sys::open_directory_at(above, key);
    if (!folder || !sys::lock(*folder, sys::LockMode::exclusive, std::chrono::milliseconds(0))) return false;
    if (!is_at(*folder, above, key) || sys::inspect(*folder).mtime_s > now() - age.count()) return false;
    const auto gone = key.ends_with(kRemoved) ? key : key + std::string(kRemoved);
    if (gone != key) sys::rename_at(above, key, above, gone);
    sys::remove_tree_at(above, gone);
    return true;
}

}  // namespace compose::engine
