// The log's line format, CRI's, as pure text in and out:
//
//   2026-01-02T03:04:05.123456789Z stdout F a whole line
//   2026-01-02T03:04:05.123456789Z stderr P a piece of a line longer than 16 KiB; more pieces follow
//   2026-01-02T03:04:05.123456789Z stdout F:n the last bytes of an output that did not end in a line feed
//
// Time and stream have a fixed width, so tag and text are found without a search.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "sys/clock.hpp"

namespace compose::supervisor {

enum class Stream : std::uint8_t { out = 0, err = 1 };

inline constexpr std::size_t kLogPiece = 16384;
inline constexpr std::size_t kLogTimeWidth = 30;
inline constexpr std::size_t kLogTagAt = kLogTimeWidth + 8;  // " stdout "

/// Appends the lines that `raw` holds to `out`, all with the same time. What is after the last line feed is left for
/// the next call while it is shorter than a piece, unless the output has ended; so are all lines after the one with
/// which `enough` bytes (more than 0) were appended. Returns how much of `raw` was used.
std::size_t format_log(std::string_view raw, Stream stream, sys::WallTime time, bool ended, std::string& out,
                       std::uint64_t enough = std::numeric_limits<std::uint64_t>::max());
/// What stands in the log in place of output that there was no room for.
[[nodiscard]] std::string drop_marker(std::uint64_t bytes, sys::WallTime time);

struct LogLine {
    std::string_view time;  // as written
    Stream stream = Stream::out;
    std::string_view bytes;  // without the line feed
    bool newline = true;     // false: a piece that is continued, or the end of an output without a line feed
    bool continued = false;  // the next piece of this stream belongs to the same line
};
/// One line of the file, without its line feed. Nothing when it is not one of ours.
[[nodiscard]] std::optional<LogLine> parse_log_line(std::string_view line);
/// "2026-01-02T03:04:05.123456789Z" -> time.
[[nodiscard]] std::optional<sys::WallTime> parse_log_time(std::string_view text);

}  // namespace compose::supervisor
