// Networks that stand on an interface of the host's instead of a bridge: what that means for a service.
#pragma once

#include <compose/project.hpp>
#include <string_view>

namespace compose {

/// macvlan and ipvlan.
[[nodiscard]] bool is_stacked_driver(std::string_view driver);
/// Are all its networks, as far as this project knows them, of those drivers, or internal? Then it publishes no ports.
[[nodiscard]] bool publishes_nothing(const Project& project, const Service& service);

}  // namespace compose
