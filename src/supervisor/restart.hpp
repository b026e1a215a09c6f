// Restart policies, as pure functions of policy and history.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace compose::supervisor {

struct RestartPolicy {
    enum class Kind { no, always, on_failure, unless_stopped };
    Kind kind = Kind::no;
    int max_retries = 0;                 // 0: no limit
    std::chrono::nanoseconds delay{0};   // always this long; 0: doubled from time to time
    std::chrono::nanoseconds window{0};  // having run so long, attempts are counted anew; 0: never

    /// "no", "always", "on-failure", "on-failure:3", "unless-stopped"; "" is "no". Nothing when it is something else.
    [[nodiscard]] static std::optional<RestartPolicy> parse(std::string_view text);
};

/// What is remembered from one exit to the next.
struct RestartHistory {
    int restarts = 0;                   // since it was started by hand
    int attempts = 0;                   // of those, the ones that count for the policy's limit
    std::chrono::nanoseconds delay{0};  // the last one; 0: none yet
};

inline constexpr std::chrono::milliseconds kFirstRestartDelay{100};
inline constexpr std::chrono::minutes kLongestRestartDelay{1};
inline constexpr std::chrono::seconds kSettledAfter{10};  // having run so long, the delay starts anew

/// After an exit: how long to wait before the next start, or nothing: it stays down. Updates the history.
[[nodiscard]] std::optional<std::chrono::nanoseconds> next_restart(const RestartPolicy& policy, RestartHistory& history,
                                                                   int exit_code, std::chrono::nanoseconds ran,
                                                                   bool stopped_by_user);
/// After a reboot or the loss of both resident processes: should what was running run again?
[[nodiscard]] bool revive(const RestartPolicy& policy, bool stopped_by_user);

}  // namespace compose::supervisor
