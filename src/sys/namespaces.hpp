// Visiting another network namespace from a single-threaded process or a thread of its own.
#pragma once

#include <functional>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

/// The calling thread's network namespace.
[[nodiscard]] Fd open_own_netns();
/// Runs `body` with this thread inside `netns`, then returns; also when it throws. Sockets made inside stay there.
void run_in_netns(FdRef netns, const std::function<void()>& body);

}  // namespace compose::sys
