// What the keeper keeps: descriptors under names, and exit statuses until the supervisor has them in the database.
// Fixed size, made once; memory that was never used is never touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "supervisor/keeper_protocol.hpp"
#include "sys/fixed_packet.hpp"

namespace compose::supervisor {

class KeeperTable {
public:
    static constexpr std::size_t kSlots = 8192;
    static constexpr std::size_t kExits = 8192;

    struct Slot {
        char name[kKeeperNameSize];
        std::int64_t value;
        int fds[sys::kMaxFixedFds];
        std::uint32_t count;  // 0: a name without descriptors
        bool used;
    };
    struct Exit {
        std::int64_t time;
        std::int32_t pid;
        std::int32_t status;
        bool used;
        bool sent;
    };

    /// Takes the descriptors (also when there is no room: then they are closed); replaces what has the name.
    bool store(std::string_view name, std::int64_t value, std::span<const int> fds) noexcept;
    void drop(std::string_view name) noexcept;
    bool add_exit(std::int32_t pid, std::int32_t status, std::int64_t time) noexcept;
    void ack(std::int32_t pid) noexcept;
    /// A new supervisor knows nothing yet.
    void forget_sent() noexcept;
    [[nodiscard]] std::span<Slot> slots() noexcept { return {slots_, slots_end_}; }
    [[nodiscard]] std::span<Exit> exits() noexcept { return {exits_, exits_end_}; }

private:
    // Only entries below the ends were ever written.
    std::size_t slots_end_ = 0;
    std::size_t exits_end_ = 0;
    Slot slots_[kSlots];
    Exit exits_[kExits];
};

}  // namespace compose::supervisor
