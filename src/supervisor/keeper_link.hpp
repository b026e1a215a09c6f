// The supervisor's end of the talk with its keeper: what is stored there, which exits have come.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "supervisor/keeper_protocol.hpp"
#include "supervisor/resident.hpp"
#include "sys/event_loop.hpp"
#include "sys/fd.hpp"
#include "sys/process.hpp"

namespace compose::supervisor {

struct Held {
    std::int64_t value = 0;
    std::vector<sys::Fd> fds;
};

struct ChildExit {
    pid_t pid = 0;
    sys::ExitStatus status;
    std::int64_t time = 0;  // nanoseconds since 1970
};

class KeeperLink {
public:
    KeeperLink(sys::Fd socket, ResidentArguments arguments);

    /// Everything that the keeper held for the supervisor before this one, and the exits that one did not acknowledge.
    struct Handover {
        std::map<std::string, Held> held;
        std::vector<ChildExit> exits;
    };
    [[nodiscard]] Handover receive_handover();
    /// Starts to listen. `on_exit` must see to it that ack() is called; `on_lost`: the keeper is dead.
    void watch(sys::EventLoop& loop, std::function<void(const ChildExit&)> on_exit, std::function<void()> on_lost);

    /// Throws Error when the keeper has no room. The descriptors stay the caller's, who keeps them open until drop().
    void store(const std::string& name, std::int64_t value, const std::vector<sys::FdRef>& fds);
    void drop(const std::string& name);
    void ack(pid_t pid);
    void say_ready();
    void say_quit();

    /// Gives everything to a new keeper, which then waits for this process to end and starts a new supervisor.
    void hand_to_heir();

private:
    void send(const KeeperPacket& packet, const std::vector<sys::FdRef>& fds);
    void read_exits();

    sys::Fd socket_;
    ResidentArguments arguments_;
    struct Entry {
        std::int64_t value = 0;
        std::vector<sys::FdRef> fds;
    };
    std::map<std::string, Entry> entries_;
    bool lost_ = false;
    std::function<void(const ChildExit&)> on_exit_;
    std::function<void()> on_lost_;
    sys::EventLoop::Watch watch_;
};

}  // namespace compose::supervisor
