// Walks a plan with a pool of workers. It decides nothing: nodes run when what they wait for is done, lowest index
// first; after the first error nothing new begins (or, for `keep_going`, everything else still does).
#pragma once

#include <chrono>
#include <compose/plan.hpp>
#include <optional>
#include <stop_token>

#include "engine/action_context.hpp"

namespace compose::engine {

struct ExecuteOptions {
    int parallel = 8;
    bool keep_going = false;  // a failed node counts as done: for removal
    std::optional<std::chrono::seconds> wait_timeout;
    std::stop_token cancel;
};

/// Tells the plan's notes, then does it. False when a CheckVariables ended it before its end: what runs is to be looked
/// at again, and planned anew. Throws the first error, with the texts of the others; exit code 130 when cancelled. What
/// depends on a provider that failed is left out, the rest is done.
[[nodiscard]] bool execute(const Plan& plan, ActionContext& context, const ExecuteOptions& options);

}  // namespace compose::engine
