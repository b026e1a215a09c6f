// One probe of a container's health over its own network: a TCP connection, or an HTTP request that is answered with
// 2xx or 3xx. Needs no program in the image.
#pragma once

#include <functional>
#include <string>

#include "supervisor/client.hpp"
#include "sys/event_loop.hpp"

namespace compose::supervisor {

class NetProbe {
public:
    using Done = std::function<void(bool ok, const std::string& output)>;

    /// `done` is called once, from the loop, unless this is destroyed first.
    NetProbe(sys::EventLoop& loop, sys::FdRef netns, const NetProbeConfig& config, Done done);
    NetProbe(const NetProbe&) = delete;
    NetProbe& operator=(const NetProbe&) = delete;

private:
    void on_connected();
    void on_answer();
    void end(bool ok, std::string output);

    sys::EventLoop& loop_;
    NetProbeConfig config_;
    Done done_;
    sys::Fd socket_;
    std::string answer_;
    sys::EventLoop::Watch watch_;
    sys::EventLoop::Watch end_;
};

}  // namespace compose::supervisor
