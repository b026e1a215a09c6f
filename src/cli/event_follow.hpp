// Reading the event log for a command: what was, then what happens, until a time or Ctrl-C.
#pragma once

#include <compose/event_log.hpp>
#include <cstdint>
#include <functional>
#include <string>

namespace compose::cli {

class Context;

/// The value of --since or --until in nanoseconds since 1970; 0 for none. Throws Error(usage).
[[nodiscard]] std::int64_t parse_event_time(const std::string& text, const char* flag);
/// Prints what `shown` makes of each event (nothing: it is not wanted). Returns the exit status.
int follow_events(Context& context, std::int64_t since, std::int64_t until,
                  const std::function<std::string(const RecordedEvent&)>& shown);

}  // namespace compose::cli
