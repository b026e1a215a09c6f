// What keeper and supervisor say to each other: packets of one fixed size over a SOCK_SEQPACKET pair.
//
//   supervisor -> keeper                        keeper -> supervisor
//   store  name value + descriptors             stored   name value + descriptors   } once, for all that it holds,
//   drop   name                                 exited   pid status time            } right after the start
//   ack    pid                                  complete                            }
//   ready  (whoever started us was told)        exited   pid status time            afterwards
//   quit
//
// A packet that was sent is kept by the kernel even if the sender dies right after: the keeper reads on to the end of
// the stream before it hands anything back.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace compose::supervisor {

enum class KeeperWord : std::uint32_t { store = 1, drop, ack, ready, quit, stored, exited, complete };

inline constexpr std::size_t kKeeperNameSize = 96;

struct KeeperPacket {
    KeeperWord word = KeeperWord::complete;
    std::int32_t pid = 0;
    std::int32_t status = 0;  // as waitpid's
    std::uint32_t unused = 0;
    std::int64_t time = 0;   // of the exit, nanoseconds since 1970
    std::int64_t value = 0;  // whatever belongs to the name
    char name[kKeeperNameSize] = {};

    /// False when it is too long.
    bool set_name(std::string_view text) noexcept {
        if (text.empty() || text.size() >= sizeof name) return false;
        std::memset(name, 0, sizeof name);
        std::memcpy(name, text.data(), text.size());
        return true;
    }
    [[nodiscard]] std::string_view text() const noexcept { return {name, ::strnlen(name, sizeof name)}; }
};
static_assert(sizeof(KeeperPacket) == 32 + kKeeperNameSize);

}  // namespace compose::supervisor
