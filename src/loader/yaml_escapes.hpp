// What the quotes of YAML stand for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace compose {

/// The inside of a text in double quotes on one line; nothing when an escape is unknown. `\uD83D\uDE00`, as JSON
/// writes characters beyond 16 bits, is one character.
[[nodiscard]] std::optional<std::string> decode_double_quoted(std::string_view raw);
[[nodiscard]] std::string decode_single_quoted(std::string_view raw);

}  // namespace compose
