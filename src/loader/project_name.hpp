// The name of a project: who may set it, which names are allowed, what a folder's name becomes.
#pragma once

#include <string>
#include <string_view>

namespace compose {

/// Lower-case letters, digits, `-` and `_`, beginning with a letter or digit.
[[nodiscard]] bool is_project_name(std::string_view name);
/// The nearest allowed name: lower case, other characters left out; may be empty.
[[nodiscard]] std::string project_name_from(std::string_view text);
/// What a message says about a name that is not allowed.
[[nodiscard]] std::string project_name_complaint(std::string_view name);
[[nodiscard]] std::string project_name_hint(std::string_view name);

}  // namespace compose
