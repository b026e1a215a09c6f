#include "cli/event_follow.hpp"

#include <array>
#include <csignal>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

std::int64_t parse_event_time(const std::string& text, const char* flag) {
    if (text.empty()) return 0;
    const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
    if (time) return *time;
    throw make_error(ErrorKind::usage, "invalid time {} for {}", quote(text), flag)
        .with_hint("use a time such as 2026-01-02T15:04:05Z, or how long ago: 42m");
}

int follow_events(Context& context, std::int64_t since, std::int64_t until,
                  const std::function<std::string(const RecordedEvent&)>& shown) {
    const auto now = [] { return sys::wall_now().time_since_epoch().count(); };
    const bool follow = until == 0 || until > now();
    sys::SignalSet signals({SIGINT, SIGTERM, SIGHUP});
    EventStream events(context.engine_options(), since, follow);
    for (;;) {
        std::string out;
        while (const auto event = events.next()) {
            if (until != 0 && event->time > until) {
                print(out);
                return 0;
            }
            out += shown(*event);
        }
        print(out);
        if (!follow || (until != 0 && now() >= until)) return 0;
        std::optional<std::chrono::milliseconds> patience;
        if (until != 0) patience = std::chrono::milliseconds((until - now()) / 1'000'000 + 1);
        std::array<sys::PollItem, 2> items{sys::PollItem{.fd = sys::FdRef(events.fd())},
                                           sys::PollItem{.fd = signals.fd()}};
        sys::poll(items, patience);
        if (signals.next()) return 130;
    }
}

}  // namespace compose::cli
