#include "engine/trash.hpp"

#include <cerrno>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {

void Trash::take(const std::string& folder) {
    if (!sys::exists_no_follow(folder)) return;
    sys::make_directory(folder_, 0700);
    const std::string place = folder_ + folder.substr(folder.rfind('/'));
    sys::rename_over(folder, place);
    const std::lock_guard lock(mutex_);
    taken_.push_back(place);
}

bool Trash::empty_one() {
    std::string place;
    {
        const std::lock_guard lock(mutex_);
        if (taken_.empty()) return false;
        place = std::move(taken_.back());
        taken_.pop_back();
    }
    sys::remove_tree(place);
    return true;
}

bool Trash::empty() const {
    const std::lock_guard lock(mutex_);
    return taken_.empty();
}

void Trash::take_leftovers() {
    if (!sys::exists(folder_)) return;
    for (const auto& name : sys::list_directory(folder_)) {
        const std::lock_guard lock(mutex_);
        taken_.push_back(folder_ + "/" + name);
    }
}

void Trash::empty_all() {
    take_leftovers();
    while (empty_one()) {
    }
}

}  // namespace compose::engine
