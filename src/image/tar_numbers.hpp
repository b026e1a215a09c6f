// Numbers as tar headers and their extensions write them, and the bounds that a reader holds them to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace compose::image {

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kMaxTarExtents = 1'000'000;
inline constexpr std::int64_t kMaxTarSize = std::int64_t{1} << 50U;

/// The field of a header: octal with blanks around it, or base-256 when the first bit is set. Nothing when malformed or
/// beyond 63 bits.
[[nodiscard]] std::optional<std::int64_t> tar_number(const char* block, std::size_t offset, std::size_t size);
/// Nothing when malformed or beyond 63 bits.
[[nodiscard]] std::optional<std::int64_t> tar_decimal(std::string_view text);

[[nodiscard]] constexpr std::int64_t round_up_to_block(std::int64_t size) {
    return (size + 511) / 512 * 512;
}

}  // namespace compose::image
