// `logs --details`: what the logging options labels, env and tag want to be said of each line. Pure.
#pragma once

#include <compose/containers.hpp>
#include <string>

namespace compose::cli {

/// "a=1,tag=web", in the order of the names; empty when no option asks for any.
[[nodiscard]] std::string log_details(const ContainerDetails& container);

}  // namespace compose::cli
