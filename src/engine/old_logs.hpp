// The output of a container that was replaced, kept for its successor: `logs` goes on over a recreation.
#pragma once

#include <string>

#include "store/layout.hpp"

namespace compose::engine {

/// Where a container keeps what its predecessors wrote; read like a log of its own, before its own.
[[nodiscard]] std::string previous_log(const std::string& log_path);
/// Before a replaced container's folder goes: sets its logs aside under the name that the next one will have.
void set_logs_aside(const store::Layout& layout, const std::string& id, const std::string& name);
/// The next one takes them. No error when there are none.
void take_logs_over(const store::Layout& layout, const std::string& name, const std::string& id);

}  // namespace compose::engine
