// Which process is whose: the end of a child is told to the one that started it, once.
#pragma once

#include <functional>
#include <map>

#include "supervisor/keeper_link.hpp"
#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

class ProcessTable {
public:
    /// Gets the exit; must make it durable before it returns: the keeper forgets it then.
    using Handler = std::function<void(const ChildExit&)>;

    ProcessTable(sys::EventLoop& loop, KeeperLink& keeper) : loop_(loop), keeper_(keeper) {}

    /// A process that was cloned as the keeper's child just now.
    void expect(pid_t pid, Handler handler);
    /// One that was found: it may be the keeper's child, or, when an earlier keeper has died, somebody else's.
    void adopt(pid_t pid, sys::FdRef pidfd, Handler handler);
    void forget(pid_t pid);
    /// An exit that the keeper tells of. One that nobody waits for is an orphan's.
    void deliver(const ChildExit& exit);
    [[nodiscard]] bool empty() const { return entries_.empty(); }

private:
    struct Entry {
        Handler handler;
        sys::EventLoop::Watch watch;  // only of processes that the keeper does not reap
    };
    sys::EventLoop& loop_;
    KeeperLink& keeper_;
    std::map<pid_t, Entry> entries_;
};

}  // namespace compose::supervisor
