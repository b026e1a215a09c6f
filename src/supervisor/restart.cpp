#include "supervisor/restart.hpp"

#include <algorithm>
#include <charconv>

namespace compose::supervisor {

std::optional<RestartPolicy> RestartPolicy::parse(std::string_view text) {
    using Kind = RestartPolicy::Kind;
    if (text.empty() || text == "no") return RestartPolicy{Kind::no, 0};
    if (text == "always") return RestartPolicy{Kind::always, 0};
    if (text == "unless-stopped") return RestartPolicy{Kind::unless_stopped, 0};
    constexpr std::string_view kOnFailure = "on-failure";
    if (!text.starts_with(kOnFailure)) return std::nullopt;
    text.remove_prefix(kOnFailure.size());
    if (text.empty()) return RestartPolicy{Kind::on_failure, 0};
    if (text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || count < 0) return std::nullopt;
    return RestartPolicy{Kind::on_failure, count};
}

namespace {

bool wanted(const RestartPolicy& policy, const RestartHistory& history, int exit_code) {
    if (policy.max_retries != 0 && history.attempts >= policy.max_retries) return false;
    switch (policy.kind) {
        case RestartPolicy::Kind::no:
            return false;
        case RestartPolicy::Kind::always:
        case RestartPolicy::Kind::unless_stopped:
            return true;
        case RestartPolicy::Kind::on_failure:
            return exit_code != 0;
    }
    return false;
}

}  // namespace

std::optional<std::chrono::nanoseconds> next_restart(const RestartPolicy& policy, RestartHistory& history,
                                                     int exit_code, std::chrono::nanoseconds ran,
                                                     bool stopped_by_user) {
    if (policy.window.count() > 0 && ran >= policy.window) history.attempts = 0;
    if (stopped_by_user || !wanted(policy, history, exit_code)) return std::nullopt;
    if (policy.delay.count() > 0)
        history.delay = policy.delay;
    else if (ran >= kSettledAfter || history.delay.count() == 0)
        history.delay = kFirstRestartDelay;
    else
        history.delay = std::min<std::chrono::nanoseconds>(history.delay * 2, kLongestRestartDelay);
    ++history.restarts;
    ++history.attempts;
    return history.delay;
}

bool revive(const RestartPolicy& policy, bool stopped_by_user) {
    return !stopped_by_user &&
           (policy.kind == RestartPolicy::Kind::always || policy.kind == RestartPolicy::Kind::unless_stopped);
}

}  // namespace compose::supervisor
