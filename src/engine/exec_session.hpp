// exec and subscribe: the supervisor's client behind the embedding API's interfaces.
#pragma once

#include <compose/engine.hpp>
#include <memory>
#include <string>

#include "store/layout.hpp"

namespace compose::engine {

[[nodiscard]] std::unique_ptr<ExecSession> open_exec(const store::Layout& layout, const std::string& project,
                                                     const ExecOptions& options, int in, int out, int err);
[[nodiscard]] std::unique_ptr<Subscription> open_subscription(const store::Layout& layout, const std::string& project);

}  // namespace compose::engine
