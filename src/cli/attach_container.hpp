// The user's terminal or pipes at a container's first process: `run`, `start -a` and `attach`.
#pragma once

#include <compose/containers.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sys/signals.hpp"

namespace compose::cli {

class Context;

struct AttachChoice {
    bool input = false;
    bool out = true;
    bool err = true;
    bool sig_proxy = true;
    bool kill = false;  // a signal is not passed on but ends it at once; the exit code is then 128 and the signal
    std::string detach_keys = "ctrl-p,ctrl-q";
};

/// The signals that are passed on: make a SignalSet of them before the engine has threads.
[[nodiscard]] std::vector<int> attach_signal_numbers();

/// Until the container has ended: its exit code; nothing when the user detached. Throws Error(usage) when a container
/// with a terminal is to get input that is none.
std::optional<int> attach_container(Context& context, sys::SignalSet& signals, const std::string& id,
                                    std::unique_ptr<AttachSession> session, const AttachChoice& choice);
void check_terminal(bool tty, bool input);

}  // namespace compose::cli
