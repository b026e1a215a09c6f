// The label com.docker.compose.depends_on: a container's dependencies as text, so that commands work without the file.
#pragma once

#include <compose/service.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace compose::plan {

/// "db:service_healthy:false,cache:service_started:true": service, condition, restart.
[[nodiscard]] std::string render_depends_on(const std::vector<Dependency>& dependencies);
/// Parts that are not understood are left out: the label may be anybody's.
[[nodiscard]] std::vector<Dependency> parse_depends_on(std::string_view label);

}  // namespace compose::plan
