// The commands' connections: takes requests, sends replies and events, never waits for anyone. A peer that is not the
// same user or root, or that does not read what it is sent, is cut off.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "supervisor/protocol.hpp"
#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

using SessionId = std::uint64_t;

class Server {
public:
    struct Hooks {
        std::function<void(SessionId, Request, std::vector<sys::Fd>)> request;
        std::function<void()> left;  // a session has ended
    };
    Server(sys::EventLoop& loop, sys::FdRef listener, Hooks hooks);
    ~Server();

    /// No error when the session is gone.
    void reply(SessionId session, const Reply& reply, const std::vector<sys::FdRef>& fds = {});
    void subscribe(SessionId session);
    void send_change(SessionId session, const StateChange& change);
    void broadcast(const StateChange& change);
    [[nodiscard]] bool busy() const { return !sessions_.empty(); }
    /// Takes whoever has connected.
    void accept_all();

private:
    struct Session;
    void read(SessionId id);
    void send(SessionId id, std::string data, const std::vector<sys::FdRef>& fds);
    void flush(SessionId id);
    void close(SessionId id);

    sys::EventLoop& loop_;
    sys::FdRef listener_;
    Hooks hooks_;
    std::map<SessionId, std::unique_ptr<Session>> sessions_;
    std::set<SessionId> subscribers_;
    SessionId last_id_ = 0;
    sys::EventLoop::Watch accepting_;
};

}  // namespace compose::supervisor
