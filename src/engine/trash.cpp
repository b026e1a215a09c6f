#include "engine/trash.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {

void Trash::take(const std::string& folder) {
    if (!sys::exists_no_follow(folder)) return;
    const std::string place = folder_ + folder.substr(folder.rfind('/'));
    try {
        sys::make_directory(folder_, 0700);
        sys::rename_over(folder, place);
    } catch (const Error& error) {
        // The disk is full, or somebody gave the containers a file system of their own.
        log::debug("{}", error.what());
        return sys::remove_tree(folder);
    }
    const std::lock_guard lock(mutex_);
    taken_.push_back({place, false});
}

bool Trash::empty_one() {
    Item item;
    {
        const std::lock_guard lock(mutex_);
        if (taken_.empty()) return false;
        item = std::move(taken_.back());
        taken_.pop_back();
    }
    try {
        sys::remove_tree(item.path);
    } catch (const Error& error) {
        if (!item.leftover) throw;
        log::debug("{}", error.what());
    }
    return true;
}

bool Trash::empty() const {
    const std::lock_guard lock(mutex_);
    return taken_.empty();
}

void Trash::take_leftovers() {
    take_leftovers_in(folder_, "");
    take_leftovers_in(volumes_, store::Layout::kRemovedVolume);
}

void Trash::take_leftovers_in(const std::string& folder, std::string_view prefix) {
    if (!sys::exists(folder)) return;
    for (const auto& name : sys::list_directory(folder)) {
        if (!name.starts_with(prefix)) continue;
        const std::lock_guard lock(mutex_);
        taken_.push_back({folder + "/" + name, true});
    }
}

void Trash::empty_all() {
    take_leftovers();
    while (empty_one()) {
    }
}

}  // namespace compose::engine
