// Sizes and durations as users write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace compose {

using Bytes = std::int64_t;
using Duration = std::chrono::nanoseconds;

/// "512m", "1.5g", "64k", "1024", "2gb", "10 MiB" (powers of 1024) -> bytes; nothing when it is not a size or
/// overflows.
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);
/// Go's grammar: "1m30s", "1.5h", "250ms", "10us", "0"; nothing when malformed. Negative values are accepted as
/// written.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// The same, with weeks and days before it: "1w2d", "1d12h", "12h"; never negative.
[[nodiscard]] std::optional<Duration> parse_window(std::string_view text);
/// Go's rendering: "1m30s", "250ms", "0s".
[[nodiscard]] std::string format_duration(Duration value);
/// "Less than a second", "5 seconds", "About a minute", "3 hours", "2 weeks": Docker's human durations.
[[nodiscard]] std::string human_duration(std::chrono::seconds value);
/// Decimal units with four significant digits as Docker prints image sizes: "72.8MB".
[[nodiscard]] std::string human_size(Bytes value);
/// Powers of 1024 as Docker prints memory: "1.944GiB".
[[nodiscard]] std::string binary_size(Bytes value);

}  // namespace compose
