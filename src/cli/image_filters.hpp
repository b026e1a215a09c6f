// --filter of the image commands.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace compose::cli {

/// "label=x=y" -> ("label", "x=y"). Throws Error(usage).
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_filters(const std::vector<std::string>& texts);

}  // namespace compose::cli
