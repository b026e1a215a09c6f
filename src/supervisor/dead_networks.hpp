// Network namespaces of containers that are being removed, kept for a moment. The kernel tears a namespace down under
// the lock that every change of a network takes; while a whole project goes, its bridge would have to wait for each of
// them. So they go when the last command is done, in the background.
#pragma once

#include <chrono>
#include <vector>

#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

class DeadNetworks {
public:
    explicit DeadNetworks(sys::EventLoop& loop) : loop_(loop) {}

    void keep(sys::Fd netns) {
        if (kept_.size() >= kMost) return;
        kept_.push_back(std::move(netns));
        end_ = loop_.after(kTime, [this] {
            end_.cancel();
            kept_.clear();
        });
    }

private:
    static constexpr std::chrono::milliseconds kTime{300};
    static constexpr std::size_t kMost = 512;  // descriptors are finite

    sys::EventLoop& loop_;
    std::vector<sys::Fd> kept_;
    sys::EventLoop::Watch end_;
};

}  // namespace compose::supervisor
