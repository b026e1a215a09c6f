// Object ids: 64 lower-case hex digits, as Docker's.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace compose {

/// Lower-case hex of `bytes`.
[[nodiscard]] std::string hex(std::span<const std::byte> bytes);
/// An object id of 32 random bytes. Its short form, which is the hostname of many a container, has a letter: resolvers
/// take digits alone for an address.
[[nodiscard]] std::string object_id(std::span<const std::byte> bytes);
/// The first 12 digits: how ids are shown.
[[nodiscard]] inline std::string_view short_id(std::string_view id) {
    return id.substr(0, 12);
}

}  // namespace compose
