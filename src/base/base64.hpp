// Base64 as credentials and tokens are written in. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace compose {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Nothing when it isn't base64.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace compose
