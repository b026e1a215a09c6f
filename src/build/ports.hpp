// EXPOSE's ports. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace compose::build {

/// "80", "53/udp", "8000-8010" -> "80/tcp", … Throws Error(invalid).
[[nodiscard]] std::vector<std::string> exposed_ports(std::string_view text);

}  // namespace compose::build
