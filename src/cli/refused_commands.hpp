// Commands that Docker has and this program can't: why not, and what to do. Pure.
#pragma once

#include <string_view>

namespace compose::cli {

/// `command` without the program's name: "swarm", "volume update". Empty when it is nobody's.
[[nodiscard]] std::string_view why_refused(std::string_view command);

}  // namespace compose::cli
