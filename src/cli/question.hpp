// A question that is answered with yes or no.
#pragma once

#include <string>

namespace compose::cli {

inline constexpr int kDeclined = 130;

/// On stderr, answered on stdin: "y", "yes" and their like are yes, nothing is `otherwise`, and so is the end of input.
[[nodiscard]] bool ask(const std::string& question, bool otherwise);

}  // namespace compose::cli
