// Turns what a child reported into words. Pure.
#pragma once

#include "runtime/channel.hpp"
#include "runtime/launch_plan.hpp"
#include "runtime/launcher.hpp"

namespace compose::runtime {

/// `report` may come from a process that a container got hold of: nothing in it is taken for granted.
[[nodiscard]] LaunchFailure failure_of(const Report& report, const LaunchPlan& plan, const ProcessSpec& process);

}  // namespace compose::runtime
