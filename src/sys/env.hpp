// The process environment, taken once as a value, and whose process this is.
#pragma once

#include <map>
#include <string>

namespace compose::sys {

using Environment = std::map<std::string, std::string>;
[[nodiscard]] Environment environment_snapshot();

[[nodiscard]] unsigned effective_user();
[[nodiscard]] unsigned effective_group();
/// Is the effective user id 0 (in this user namespace)?
[[nodiscard]] bool running_as_root();

}  // namespace compose::sys
