// Who is attached to one container's output. Each gets every byte: while one of them lags too far behind, the output is
// not read on, as Docker does it. They outlive the log's pump, until they have read what was left for them.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "supervisor/log_format.hpp"
#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

class Listeners {
public:
    struct Hooks {
        std::function<void(bool hold)> congested;  // stop or go on reading the output
        std::function<void()> left;                // the last one is gone
    };
    Listeners(sys::EventLoop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {}

    /// Writing ends of pipes; either may be empty.
    void add(sys::Fd out, sys::Fd err);
    void feed(Stream stream, std::string_view bytes);
    /// Nothing more will come: each ends when it has read the rest.
    void end();
    [[nodiscard]] bool empty() const { return all_.empty(); }

private:
    struct Way {
        sys::Fd pipe;
        std::string pending;
        sys::EventLoop::Watch writable;
    };
    struct Listener {
        Way ways[2];
        bool ending = false;
    };
    void flush(Listener& listener, Way& way);
    void settle();

    sys::EventLoop& loop_;
    Hooks hooks_;
    std::list<Listener> all_;
    bool holding_ = false;
    sys::EventLoop::Watch settling_;
};

}  // namespace compose::supervisor
