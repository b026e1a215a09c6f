#include "engine/removed_rows.hpp"

#include <utility>

#include "engine/action_context.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kMost = 128;

std::vector<std::string> anonymous_volumes_of(const std::string& id, const store::Store& store) {
    std::vector<std::string> anonymous;
    for (const std::string& name : store.volumes_of(id))
        if (const auto volume = store.volume(name); volume && volume->anonymous) anonymous.push_back(name);
    return anonymous;
}

}  // namespace

void RemovedRows::add(Entry entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
}

bool RemovedRows::empty() const {
    const std::lock_guard lock(mutex_);
    return entries_.empty();
}

bool RemovedRows::full() const {
    const std::lock_guard lock(mutex_);
    return entries_.size() >= kMost;
}

void RemovedRows::flush(store::Store& store, store::Generation& generation) {
    // Held to the end: who comes meanwhile wants them gone when it returns.
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) return;
    std::vector<std::string> volumes;
    store.transaction([&] {
        for (const Entry& entry : entries_) {
            if (entry.with_volumes)
                for (auto& name : anonymous_volumes_of(entry.destroyed.id, store)) volumes.push_back(std::move(name));
            store.delete_container(entry.destroyed.id);
        }
    });
    for (const Entry& entry : std::exchange(entries_, {})) store::append_event(store.layout(), entry.destroyed);
    for (const std::string& name : volumes)
        if (store.volume_users(name).empty()) remove_volume(store, name);
    generation.bump();
}

}  // namespace compose::engine
