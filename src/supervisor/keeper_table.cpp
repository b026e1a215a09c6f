#include "supervisor/keeper_table.hpp"

#include <algorithm>
#include <cstring>

namespace compose::supervisor {
namespace {

void close_all(KeeperTable::Slot& slot) noexcept {
    for (std::size_t i = 0; i < slot.count; ++i) sys::close_descriptor(slot.fds[i]);
    slot.count = 0;
}

bool same_name(const KeeperTable::Slot& slot, std::string_view name) noexcept {
    return slot.used && std::string_view(slot.name, ::strnlen(slot.name, sizeof slot.name)) == name;
}

}  // namespace

bool KeeperTable::store(std::string_view name, std::int64_t value, std::span<const int> fds) noexcept {
    Slot* place = nullptr;
    for (auto& slot : slots()) {
        if (same_name(slot, name)) {
            close_all(slot);
            place = &slot;
            break;
        }
        if (!slot.used && place == nullptr) place = &slot;
    }
    if (place == nullptr && slots_end_ < kSlots) place = &slots_[slots_end_++];
    if (place == nullptr || name.empty() || name.size() >= kKeeperNameSize) {
        for (const int fd : fds) sys::close_descriptor(fd);
        return false;
    }
    std::memset(place, 0, sizeof *place);
    std::memcpy(place->name, name.data(), name.size());
    place->value = value;
    place->count = static_cast<std::uint32_t>(fds.size());
    std::copy(fds.begin(), fds.end(), place->fds);
    place->used = true;
    return true;
}

void KeeperTable::drop(std::string_view name) noexcept {
    for (auto& slot : slots()) {
        if (!same_name(slot, name)) continue;
        close_all(slot);
        slot.used = false;
    }
    while (slots_end_ > 0 && !slots_[slots_end_ - 1].used) --slots_end_;
}

bool KeeperTable::add_exit(std::int32_t pid, std::int32_t status, std::int64_t time) noexcept {
    Exit* place = nullptr;
    for (auto& exit : exits())
        if (!exit.used) {
            place = &exit;
            break;
        }
    if (place == nullptr && exits_end_ < kExits) place = &exits_[exits_end_++];
    if (place == nullptr) return false;
    *place = {time, pid, status, true, false};
    return true;
}

void KeeperTable::ack(std::int32_t pid) noexcept {
    for (auto& exit : exits()) {
        if (!exit.used || exit.pid != pid || !exit.sent) continue;
        exit.used = false;
        break;
    }
    while (exits_end_ > 0 && !exits_[exits_end_ - 1].used) --exits_end_;
}

void KeeperTable::forget_sent() noexcept {
    for (auto& exit : exits()) exit.sent = false;
}

}  // namespace compose::supervisor
