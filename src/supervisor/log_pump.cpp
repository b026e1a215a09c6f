#include "supervisor/log_pump.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kTakeAtOnce = 64 * 1024;
// More than a pipe holds, so that a dead container's last words are all written, and not so much that a living one
// could keep us.
constexpr int kDrainSteps = 16;
constexpr std::chrono::milliseconds kRetryAfter{500};

}  // namespace

LogPump::LogPump(sys::EventLoop& loop, LogBuffers& buffers, OutputLog log, std::function<void()> on_end)
    : loop_(loop), buffers_(buffers), log_(std::move(log)), on_end_(std::move(on_end)) {
    for (const auto stream : {Stream::out, Stream::err}) {
        // What a predecessor took from the pipe but did not write.
        log_.flush(stream, buffers_);
    }
    watch();
    retry_later();
    check_end();
}

void LogPump::watch() {
    for (const auto stream : {Stream::out, Stream::err}) {
        const auto at = static_cast<std::size_t>(stream);
        if (!log_.ended(stream) && !watches_[at])
            watches_[at] = loop_.on_readable(log_.source().pipe[at], [this, stream] { step(stream); });
    }
    if (terminal_ && !terminal_watch_)
        terminal_watch_ = loop_.on_readable(terminal_->master, [this] { step_terminal(); });
}

void LogPump::hold(bool on) {
    if (held_ == on) return;
    held_ = on;
    if (!on) return watch();
    for (auto& watch : watches_) watch.cancel();
    terminal_watch_.cancel();
}

void LogPump::attach_terminal(TerminalSource terminal) {
    sys::set_nonblocking(terminal.master, true);
    terminal_ = std::move(terminal);
    watch();
}

void LogPump::step(Stream stream) {
    try {
        after_step(stream, log_.step(stream, buffers_));
    } catch (const Error& error) {
        // Reading on would only fail again; the container must not be the one to suffer from it.
        log::debug("log: {}", error.what());
        watches_[static_cast<std::size_t>(stream)].cancel();
    }
}

void LogPump::after_step(Stream stream, OutputLog::Step result) {
    if (result == OutputLog::Step::ended) watches_[static_cast<std::size_t>(stream)].cancel();
    retry_later();
    check_end();
}

void LogPump::step_terminal() {
    if (sys::pipe_from_terminal(terminal_->master, terminal_->pipe, kTakeAtOnce) != sys::Spooled::end) return;
    terminal_watch_.cancel();
    end_terminal();
    terminal_.reset();
}

void LogPump::end_terminal() {
    // We hold the pipe's other end ourselves, so its end never comes by itself.
    for (int i = 0; i < kDrainSteps && log_.step(Stream::out, buffers_) == OutputLog::Step::moved; ++i) {
    }
    watches_[0].cancel();
    log_.finish(Stream::out, buffers_);
    retry_later();
    check_end();
}

void LogPump::retry_later() {
    if (retry_ || (!log_.blocked(Stream::out) && !log_.blocked(Stream::err))) return;
    retry_ = loop_.after(kRetryAfter, [this] {
        retry_.cancel();
        for (const auto stream : {Stream::out, Stream::err})
            if (log_.blocked(stream)) log_.flush(stream, buffers_);
        retry_later();
        check_end();
    });
}

void LogPump::drain() {
    hold(false);
    for (int i = 0; i < kDrainSteps && terminal_watch_; ++i) {
        step_terminal();
        step(Stream::out);
    }
    for (const auto stream : {Stream::out, Stream::err}) {
        auto& watch = watches_[static_cast<std::size_t>(stream)];
        for (int i = 0; i < kDrainSteps && watch; ++i) {
            const auto result = log_.step(stream, buffers_);
            after_step(stream, result);
            if (result != OutputLog::Step::moved) break;
        }
    }
}

void LogPump::finish() {
    drain();
    for (const auto stream : {Stream::out, Stream::err}) {
        watches_[static_cast<std::size_t>(stream)].cancel();
        if (!log_.ended(stream)) log_.finish(stream, buffers_);
    }
    terminal_watch_.cancel();
    terminal_.reset();
    check_end();
}

bool LogPump::ended() const {
    return log_.ended(Stream::out) && log_.ended(Stream::err) && !log_.blocked(Stream::out) &&
           !log_.blocked(Stream::err);
}

void LogPump::check_end() {
    if (told_ || !ended()) return;
    told_ = true;
    // Not from inside a step: it may be the end of this object.
    end_ = loop_.after(std::chrono::nanoseconds(0), [this] { on_end_(); });
}

}  // namespace compose::supervisor
