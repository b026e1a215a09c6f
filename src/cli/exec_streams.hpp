// Carries bytes between the user's standard streams and a command in a container. The user's own descriptors never go
// into a container: a process there could reopen the file or type into the terminal behind them.
#pragma once

#include <compose/engine.hpp>
#include <memory>

#include "sys/fd.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

/// Our ends. With a terminal, `in` and `out` are the same pty and `err` is empty.
struct ExecEnds {
    sys::Fd in;   // written to; empty: the command reads nothing
    sys::Fd out;  // read from
    sys::Fd err;
};

/// Until the command has ended; returns its exit code. Window changes and signals in `signals` are passed on.
int carry_streams(std::shared_ptr<ExecSession> session, ExecEnds ends, bool terminal, sys::SignalSet& signals);

}  // namespace compose::cli
