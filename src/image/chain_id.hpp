// The names of layers: a layer's chain id says what it is and what it lies on. Pure.
#pragma once

#include <string>
#include <string_view>

namespace compose::image {

/// 64 lower-case hex digits.
[[nodiscard]] bool is_chain_id(std::string_view name);
/// `diff_hex`: the SHA-256 of the layer's tar; `parent` is empty for the lowest layer.
[[nodiscard]] std::string chain_id_of(const std::string& parent, const std::string& diff_hex);

}  // namespace compose::image
