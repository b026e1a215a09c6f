// Object ids: 64 lower-case hex digits, as Docker's.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace compose {

/// Lower-case hex of `bytes`. 32 random bytes make an object id.
[[nodiscard]] std::string hex(std::span<const std::byte> bytes);
/// The first 12 digits: how ids are shown.
[[nodiscard]] inline std::string_view short_id(std::string_view id) {
    return id.substr(0, 12);
}

}  // namespace compose
