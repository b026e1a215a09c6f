// Paths of images and contexts as text: cleaned, joined, never leading out. Pure.
#pragma once

#include <string>
#include <string_view>

namespace compose::build {

/// Without ".", double slashes and leading slashes; ".." stays inside the top. Empty for the top itself.
[[nodiscard]] std::string clean_relative(std::string_view path);
/// Absolute and clean; a relative one is taken from `base`.
[[nodiscard]] std::string absolute_in(std::string_view base, std::string_view path);
/// The last part; empty for the top.
[[nodiscard]] std::string_view base_name(std::string_view path);
/// Without the last part; empty for the top.
[[nodiscard]] std::string_view parent_path(std::string_view path);

}  // namespace compose::build
