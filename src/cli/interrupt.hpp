// Ctrl-C and SIGTERM for commands that change things: the first asks the engine to stop where it is, the second ends
// the program. Make it before the engine, whose threads must inherit the blocked signals.
#pragma once

#include <functional>
#include <stop_token>

namespace compose::cli {

class Context;

/// Runs `body`; when a signal cut it short, says so and returns 130.
int run_interruptible(Context& context, const std::function<int(std::stop_token)>& body);

/// The exit status for a program that a signal ended, without any further word: also gives the cursor back.
[[noreturn]] void end_now() noexcept;

}  // namespace compose::cli
