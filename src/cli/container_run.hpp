// `container run` and `container create` as parts of other commands.
#pragma once

#include <string>
#include <vector>

#include "sys/signals.hpp"

namespace compose::cli {

class Context;

/// `words`: what would follow "container run". Returns the exit status. It gets no input, and signals end it at once.
int run_container(Context& context, sys::SignalSet& signals, const std::vector<std::string>& words);
/// The container's id. It is pulled, but nothing is printed or started.
[[nodiscard]] std::string create_container(Context& context, const std::vector<std::string>& words);

}  // namespace compose::cli
