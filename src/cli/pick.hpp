// The one container of a service that a command is about.
#pragma once

#include <compose/engine.hpp>
#include <optional>
#include <string>
#include <vector>

namespace compose::cli {

class Context;

enum class Want { running, existing };
/// The replica with this number, else the lowest; a one-off only when there is nothing else. Throws Error(not_found).
[[nodiscard]] ContainerView pick_container(Context& context, const std::string& project, const std::string& service,
                                           std::optional<int> index, Want want);
/// What the services named have (all when none is), one-offs left out; by service and number.
[[nodiscard]] std::vector<ContainerView> replicas_of(Context& context, const std::string& project,
                                                     const std::vector<std::string>& services);
[[nodiscard]] bool is_live(const ContainerView& view);  // has processes: running or paused

}  // namespace compose::cli
