// Signals as something to read; a handler does no more than end the program.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// Blocks `signals` in the calling thread for its lifetime and makes them readable instead. Make it before any other
/// thread exists: threads inherit the mask, and an unblocked one would take the signal. Programs that are started
/// meanwhile inherit it too: their starter resets it.
class SignalSet {
public:
    explicit SignalSet(const std::vector<int>& signals);
    ~SignalSet();
    SignalSet(const SignalSet&) = delete;
    SignalSet& operator=(const SignalSet&) = delete;

    [[nodiscard]] FdRef fd() const noexcept { return fd_; }
    /// The next pending signal's number, or nothing.
    [[nodiscard]] std::optional<int> next();

private:
    struct Mask;
    std::unique_ptr<Mask> before_;
    Fd fd_;
};

/// One of these ends the program at once with `status`, as long as no SignalSet has it.
void exit_on(const std::vector<int>& signals, int status);
/// Writing to a closed pipe becomes an error (EPIPE).
void ignore_sigpipe();

}  // namespace compose::sys
