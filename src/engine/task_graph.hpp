// Tasks that need each other, several at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

namespace compose::engine {

/// Runs task i as soon as all of `needs[i]` have ended, at most `parallel` at once, the lowest that is ready first. The
/// first failure stops the others through `stop`, keeps what has not begun from beginning, and is thrown when the last
/// has ended. Whoever needs each other must be told apart before: a cycle throws Error.
void run_tasks(const std::vector<std::vector<std::size_t>>& needs, int parallel, std::stop_source& stop,
               const std::function<void(std::size_t)>& run);

}  // namespace compose::engine
