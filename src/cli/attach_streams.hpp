// Carries bytes between the user's standard streams and a container's first process, until it has ended or the user has
// typed the keys that detach.
#pragma once

#include <compose/containers.hpp>
#include <functional>
#include <memory>
#include <string>

#include "sys/signals.hpp"

namespace compose::cli {

struct AttachedEnds {
    bool input = false;             // pass our standard input on
    std::string detach_keys;        // bytes; empty: none
    std::function<void(int)> pass;  // a signal for the process; empty: the program ends instead
};
enum class AttachEnd { ended, detached };

/// With a terminal on both sides, ours is raw meanwhile. When the supervisor that shares the streams is replaced, goes
/// on with the new one, and says so: what was written in between is in the log alone.
[[nodiscard]] AttachEnd carry_attached(Containers& containers, const std::string& id,
                                       std::unique_ptr<AttachSession> session, const AttachedEnds& ends,
                                       sys::SignalSet& signals);

/// Attached once more, when a new supervisor listens; nothing when the container has ended meanwhile. Throws Error when
/// none comes.
[[nodiscard]] std::unique_ptr<AttachSession> reattach(Containers& containers, const std::string& id, bool input);

/// "ctrl-p,ctrl-q", "a,ctrl-c": as the bytes that a terminal sends. Throws Error(usage).
[[nodiscard]] std::string parse_detach_keys(const std::string& text);

}  // namespace compose::cli
