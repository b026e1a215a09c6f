// Points in time as users give them to --since and --until.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace compose::cli {

/// "42m" (before now), "1700000000[.5]", "2026-01-02", "2026-01-02T15:04[:05[.9]][Z|+02:00]" -> nanoseconds since 1970;
/// without a zone it is local time. Nothing when it is none of these.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now_ns);

}  // namespace compose::cli
