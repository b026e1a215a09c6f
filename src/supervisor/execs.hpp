// Commands that were started in running containers, and who waits for their end.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "runtime/launcher.hpp"
#include "store/event_log.hpp"
#include "supervisor/core.hpp"
#include "supervisor/server.hpp"

namespace compose::supervisor {

class Execs {
public:
    /// `on_over`: one fewer to look after.
    Execs(Core& core, Server*& server, std::function<void()> on_over);

    /// Answers `session` when the command runs, or could not be run.
    void start(SessionId session, const Request& request, runtime::ExecTarget target, std::vector<sys::Fd> stdio);
    void wait(SessionId session, const Request& request);
    void signal(SessionId session, const Request& request);
    /// Those that an earlier supervisor started.
    void adopt(std::map<std::string, Held>& held);
    /// Some command runs. (An exit code that nobody has asked for keeps nobody here.)
    [[nodiscard]] bool busy() const;

private:
    struct Waiter {
        SessionId session = 0;
        std::uint64_t seq = 0;
    };
    struct Entry {
        std::optional<runtime::Launch> launch;
        pid_t pid = 0;
        sys::Fd pidfd;
        bool detached = false;
        Waiter starter;
        std::vector<Waiter> waiters;
        store::EventRecord subject;  // what its events say
        std::optional<int> exit_code;
        sys::EventLoop::Watch channel;
        sys::EventLoop::Watch expiry;
    };
    void on_channel(std::uint64_t id);
    void on_exit(std::uint64_t id, int exit_code);
    void keep_result(std::uint64_t id, Entry& entry);
    void answer(const Waiter& waiter, int exit_code);
    void fail(const Waiter& waiter, const Error& error);
    void erase(std::uint64_t id);

    Core& core_;
    Server*& server_;
    std::function<void()> on_over_;
    std::map<std::uint64_t, Entry> entries_;
    std::uint64_t last_id_;
};

}  // namespace compose::supervisor
