// Carries bytes between the user's standard streams and a command in a container. The user's own descriptors never go
// into a container: a process there could reopen the file or type into the terminal behind them.
#pragma once

#include <compose/engine.hpp>
#include <functional>
#include <memory>

#include "cli/detach_keys.hpp"
#include "sys/fd.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

/// Our ends. With a terminal, `in` and `out` are the same pty and `err` is empty.
struct ExecEnds {
    sys::Fd in;   // written to; empty: the command reads nothing
    sys::Fd out;  // read from
    sys::Fd err;
    std::function<void()> close_input{};  // when closing `in` is not enough
    DetachKeys* detach_keys = nullptr;    // typed there, they end the carrying: see DetachKeys::detached()
    bool shared = false;                  // out and err come through someone else: their end is waited for
    bool pass_signals = true;
    /// All output has ended, the process perhaps not: gives other ends of it, or false when there are none. `heard`:
    /// these have brought something.
    std::function<bool(ExecEnds&, bool heard)> renew{};
};

/// Until the command has ended or the user detaches (then 0); returns its exit code. Window changes and signals in
/// `signals` are passed on.
int carry_streams(std::shared_ptr<ExecSession> session, ExecEnds ends, bool terminal, sys::SignalSet& signals);

}  // namespace compose::cli
