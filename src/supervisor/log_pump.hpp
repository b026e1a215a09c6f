// Drives one container's OutputLog from the event loop: a bounded step for each event, so that a container that floods
// its output delays nobody else.
#pragma once

#include <functional>
#include <optional>

#include "supervisor/output_log.hpp"
#include "sys/event_loop.hpp"

namespace compose::supervisor {

/// A terminal's way into the log: what its master offers goes through a pipe of our own, so that it is spooled like any
/// other output. The pipe's read end is the log's stdout.
struct TerminalSource {
    sys::Fd master;
    sys::Fd pipe;  // write end
};

class LogPump {
public:
    /// `on_end` is called once, from the loop, when all output is in the log.
    LogPump(sys::EventLoop& loop, LogBuffers& buffers, OutputLog log, std::function<void()> on_end);
    /// The terminal's master is known only once the container runs.
    void attach_terminal(TerminalSource terminal);

    /// Writes what is there now (a bounded amount).
    void drain();
    /// All writers are dead: writes what is there and ends, even if somebody else still holds a writing end.
    void finish();
    [[nodiscard]] bool ended() const;
    void set_tap(OutputLog::Tap tap) { log_.set_tap(std::move(tap)); }
    /// Leaves the output where it is for now.
    void hold(bool on);
    [[nodiscard]] const OutputLog& log() const { return log_; }
    [[nodiscard]] const std::optional<TerminalSource>& terminal() const { return terminal_; }

private:
    void step(Stream stream);
    void watch();
    void step_terminal();
    void end_terminal();
    void after_step(Stream stream, OutputLog::Step result);
    void check_end();
    void retry_later();

    sys::EventLoop& loop_;
    LogBuffers& buffers_;
    OutputLog log_;
    std::optional<TerminalSource> terminal_;
    std::function<void()> on_end_;
    bool told_ = false;
    bool held_ = false;
    sys::EventLoop::Watch watches_[2];
    sys::EventLoop::Watch terminal_watch_;
    sys::EventLoop::Watch retry_;
    sys::EventLoop::Watch end_;
};

}  // namespace compose::supervisor
