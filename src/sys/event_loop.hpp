// One thread, one loop: descriptors, timers and signals. A thin face of Boost.Asio, which only event_loop.cpp includes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    using Callback = std::function<void()>;

    /// Something that stops when destroyed. It may be destroyed inside its own callback.
    class Watch {
    public:
        Watch() = default;
        Watch(Watch&&) noexcept = default;
        Watch& operator=(Watch&&) noexcept = default;
        ~Watch() = default;
        void cancel() noexcept { impl_.reset(); }
        explicit operator bool() const noexcept { return impl_ != nullptr; }

    private:
        friend class EventLoop;
        std::shared_ptr<void> impl_;
    };

    /// Calls back whenever `fd` is readable (level-triggered). One watch a descriptor: duplicate it to watch both ways.
    /// The loop never closes the descriptor; the caller keeps it
    /// open as long as the watch lives.
    [[nodiscard]] Watch on_readable(FdRef fd, Callback callback);
    [[nodiscard]] Watch on_writable(FdRef fd, Callback callback);
    /// Once, after `delay` of monotonic time.
    [[nodiscard]] Watch after(std::chrono::nanoseconds delay, Callback callback);
    /// Signals arrive here one by one; they must be blocked or have no other handler.
    [[nodiscard]] Watch on_signals(const std::vector<int>& signals, std::function<void(int)> callback);
    void post(Callback callback);
    void run();  // until stop()
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose::sys
