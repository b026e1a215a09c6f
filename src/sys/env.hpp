// The process environment, taken once as a value.
#pragma once

#include <map>
#include <string>

namespace compose::sys {

using Environment = std::map<std::string, std::string>;
[[nodiscard]] Environment environment_snapshot();

}  // namespace compose::sys
