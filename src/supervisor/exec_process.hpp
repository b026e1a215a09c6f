// What a command in a container takes from the container when it says nothing itself.
#pragma once

#include "runtime/spec.hpp"

namespace compose::supervisor {

/// `process.env` is what is added to the container's own; empty user and cwd are the container's.
void complete_from(const runtime::ContainerSpec& spec, runtime::ProcessSpec& process);

}  // namespace compose::supervisor
