// Waiting for containers without a thread each: one subscription, one thread, any number of waits. The rows in the
// store are the truth (the supervisor writes before it tells); its messages only say when to look again.
#pragma once

#include <chrono>
#include <compose/error.hpp>
#include <compose/plan.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/action_context.hpp"

namespace compose::engine {

/// The last ten lines of a container's log, indented and safe to print.
[[nodiscard]] std::string last_log_lines(const store::Layout& layout, const std::string& id);

/// What a row says about a wait: nothing yet, success (second empty), or why it failed.
struct Verdict {
    bool decided = false;
    std::string failure;
};

class WaitWatcher {
public:
    /// Called once for each wait, from any thread: nothing on success.
    using Done = std::function<void(std::optional<Error>)>;

    WaitWatcher(ActionContext& context, std::optional<std::chrono::seconds> timeout);
    ~WaitWatcher();  // pending waits are dropped without being called

    void add(const WaitContainer& action, Done done);
    /// Done when the time has passed.
    void add(const Delay& action, Done done);
    /// All pending waits end with an error that gives the reason.
    void cancel(const std::string& reason, int exit_code);

private:
    struct Wait {
        WaitContainer action;
        std::string id;
        Done done;
        std::optional<std::chrono::steady_clock::time_point> due{};  // fine so far, decided then
        int restarts = 0;                                            // when that began
        bool exited = false;                                         // when it was looked at last
    };
    struct Timer {
        std::chrono::steady_clock::time_point due;
        std::string service;
        Done done;
    };

    void watch(const std::stop_token& stop);
    void follow(supervisor::Client& client, const std::stop_token& stop);
    /// Ends those that are decided; `id` empty: looks at all.
    void look(const std::string& id);
    void expire();
    void end_delays();
    [[nodiscard]] Verdict verdict_of(Wait& wait);
    [[nodiscard]] static std::chrono::nanoseconds unsettled(const Wait& wait, const store::Container& row);
    /// When something is to be decided though nobody tells; nothing: never.
    [[nodiscard]] std::optional<std::chrono::milliseconds> next_due();
    void start_thread();
    /// Until the supervisor has news, the deadline passes or the end is near. True: read from `client`.
    [[nodiscard]] bool pause(supervisor::Client* client, std::optional<std::chrono::milliseconds> longest);
    [[nodiscard]] bool is_tolerated(const WaitContainer& action);
    void finish(std::vector<Wait> finished, const std::vector<std::optional<Error>>& results);

    ActionContext& context_;
    std::optional<std::chrono::seconds> timeout_;
    std::chrono::steady_clock::time_point deadline_;
    std::mutex mutex_;
    std::vector<Wait> waits_;
    std::vector<Timer> timers_;
    std::map<std::string, std::size_t> failures_;  // of services, under mutex_
    std::optional<store::Store> store_;            // under mutex_
    sys::Pipe wake_;                               // a byte: look again; closed: the end
    std::jthread thread_;                          // started with the first wait
};

[[nodiscard]] Verdict judge(const WaitContainer& action, const store::Container& row);

}  // namespace compose::engine
