// Waits: when they are met, when they have failed, and in which words (Docker Compose's).
#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "engine/container_view.hpp"
#include "engine/wait_watcher.hpp"
#include "supervisor/log_reader.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"

namespace compose::engine {
namespace {

using store::ContainerState;
using Status = Event::Status;
using Until = WaitContainer::Until;

constexpr std::chrono::milliseconds kRetry{50};     // between looks for a supervisor
constexpr std::chrono::seconds kSupervisorGone{5};  // a new one should be there long before
constexpr std::size_t kHintLines = 10;
// --wait, of a container without a health check: programs that can't work mostly end within this.
constexpr std::chrono::milliseconds kSettled{250};

}  // namespace

std::string last_log_lines(const store::Layout& layout, const std::string& id) {
    supervisor::LogReader reader(layout.container_log(id), {.tail = kHintLines, .since = {}, .until = {}});
    std::vector<std::string> lines;
    supervisor::LogLine line;
    while (reader.next(line)) {
        std::string text(line.bytes);
        for (char& c : text)
            if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = ' ';
        lines.push_back("  " + text);
    }
    return join(lines, "\n");
}

/// "137 (out of memory)"
std::string exit_text(const store::Container& row) {
    const std::string cause = cause_of_end(row);
    return std::to_string(row.exit_code) + (cause.empty() ? "" : " (" + cause + ")");
}

Verdict judge(const WaitContainer& action, const store::Container& row) {
    const bool exited = row.state == ContainerState::exited || row.state == ContainerState::dead;
    const std::string prefix = action.until == Until::ready ? "" : "dependency failed to start: ";
    switch (action.until) {
        case Until::completed:
            if (!exited) return {};
            if (row.exit_code == 0) return {true, {}};
            return {true, fmt::format("service \"{}\" didn't complete successfully: exit {}", action.service,
                                      exit_text(row))};
        case Until::healthy:
        case Until::ready:
            if (exited) {
                if (action.until == Until::ready && row.exit_code == 0) return {true, {}};
                const std::string cause = cause_of_end(row);
                return {true, fmt::format("{}container {} exited ({}){}", prefix, action.container.name, row.exit_code,
                                          cause.empty() ? "" : ": " + cause)};
            }
            if (row.state != ContainerState::running) return {};
            if (row.config.health_json.empty()) {
                if (action.until == Until::ready) return {true, {}};
                return {true,
                        fmt::format("{}container {} has no healthcheck configured", prefix, action.container.name)};
            }
            if (row.health == store::Health::healthy) return {true, {}};
            if (row.health == store::Health::unhealthy)
                return {true, fmt::format("{}container {} is unhealthy", prefix, action.container.name)};
            return {};
    }
    return {};
}

WaitWatcher::WaitWatcher(ActionContext& context, std::optional<std::chrono::seconds> timeout)
    : context_(context), timeout_(timeout), deadline_(std::chrono::steady_clock::now()), wake_(sys::make_pipe()) {
    if (timeout) deadline_ += *timeout;
}

WaitWatcher::~WaitWatcher() {
    thread_.request_stop();
    wake_.write.reset();
}

void WaitWatcher::add(const WaitContainer& action, Done done) {
    context_.tell(Status::working, "Container " + action.container.name, "Waiting");
    if (context_.dry_run) {
        context_.tell(Status::done, "Container " + action.container.name,
                      action.until == Until::completed ? "Exited" : "Healthy");
        done(std::nullopt);
        return;
    }
    const std::string id = context_.id_of(action.container);
    {
        // First the wait, then the look: what happens in between is either in the row or still to be told.
        const std::lock_guard lock(mutex_);
        waits_.push_back({action, id, std::move(done)});
        start_thread();
    }
    try {
        look(id);
    } catch (const std::exception& error) {  // the wait is registered: the thread looks again
        log::debug("look at container {}: {}", action.container.name, error.what());
    }
}

void WaitWatcher::add(const Delay& action, Done done) {
    if (context_.dry_run) {
        done(std::nullopt);
        return;
    }
    const std::lock_guard lock(mutex_);
    timers_.push_back({std::chrono::steady_clock::now() + action.time, action.service, std::move(done)});
    start_thread();
    sys::write_all(wake_.write, "x");
}

void WaitWatcher::start_thread() {
    if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void WaitWatcher::cancel(const std::string& reason, int exit_code) {
    std::vector<Wait> dropped;
    std::vector<Timer> timers;
    {
        const std::lock_guard lock(mutex_);
        dropped.swap(waits_);
        timers.swap(timers_);
    }
    for (const Timer& timer : timers)
        timer.done(make_error("update of service \"{}\": {}", timer.service, reason).with_exit_code(exit_code));
    for (Wait& wait : dropped)
        wait.done(make_error("container {}: {}", wait.action.container.name, reason).with_exit_code(exit_code));
}

void WaitWatcher::watch(const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    Clock::time_point seen = Clock::now();  // when there was a supervisor last
    while (!stop.stop_requested()) {
        try {
            if (auto client = supervisor::Client::connect(context_.layout, context_.project)) {
                client->subscribe();
                follow(*client, stop);
                seen = Clock::now();
            } else {
                look({});  // nothing will change, but what is already written may decide
            }
        } catch (const std::exception& error) {
            log::debug("watch project {}: {}", context_.project, error.what());
        }
        expire();
        if (Clock::now() - seen > kSupervisorGone) cancel("its supervisor is gone", 1);
        (void)pause(nullptr, kRetry);
    }
}

void WaitWatcher::follow(supervisor::Client& client, const std::stop_token& stop) {
    while (!stop.stop_requested() && !client.closed()) {
        if (pause(&client, std::nullopt))
            while (const auto change = client.next(std::chrono::milliseconds(0))) look(change->id);
        expire();
    }
}

std::optional<std::chrono::milliseconds> WaitWatcher::next_due() {
    const std::lock_guard lock(mutex_);
    std::optional<std::chrono::steady_clock::time_point> first;
    const auto consider = [&](std::chrono::steady_clock::time_point due) {
        first = std::min(first.value_or(due), due);
    };
    for (const Wait& wait : waits_)
        if (wait.due) consider(*wait.due);
    for (const Timer& timer : timers_) consider(timer.due);
    if (!first) return std::nullopt;
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(*first - std::chrono::steady_clock::now()),
                    std::chrono::milliseconds(0));
}

bool WaitWatcher::pause(supervisor::Client* client, std::optional<std::chrono::milliseconds> longest) {
    if (const auto due = next_due()) longest = longest ? std::min(*longest, *due) : *due;
    if (timeout_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
        // Waits that begin after the deadline are looked at now and then.
        const auto next = left.count() > 0 ? left : kRetry;
        longest = longest ? std::min(*longest, next) : next;
    }
    std::array<sys::PollItem, 2> items{};
    items[0].fd = wake_.read;
    if (client != nullptr) items[1].fd = client->fd();
    if (!sys::poll(items, longest)) return false;
    std::array<char, 64> bytes{};
    if (items[0].readable) (void)sys::read_some(wake_.read, bytes);
    return items[1].readable;
}

/// How long it still has to run until it counts as up; zero or less when it does.
std::chrono::nanoseconds WaitWatcher::unsettled(const Wait& wait, const store::Container& row) {
    const bool by_age = wait.action.until == Until::ready && row.state == ContainerState::running;
    if (!by_age || !row.config.health_json.empty()) return {};
    return kSettled - (sys::wall_now().time_since_epoch() - std::chrono::nanoseconds(row.started_at));
}

/// With a time to be monitored, what is fine must stay so until that has passed.
Verdict WaitWatcher::verdict_of(Wait& wait) {
    const std::string& name = wait.action.container.name;
    const auto row = store_->container(wait.id);
    if (!row) return {true, fmt::format("container {} was removed", name)};
    Verdict verdict = judge(wait.action, *row);
    wait.exited = row->state == ContainerState::exited;
    if (!verdict.failure.empty()) return verdict;
    const auto now = std::chrono::steady_clock::now();
    if (wait.action.monitor.count() == 0) {
        const auto left = std::min<std::chrono::nanoseconds>(unsettled(wait, *row), kSettled);
        wait.due.reset();
        if (!verdict.decided || left.count() <= 0) return verdict;
        wait.due = now + left;
        sys::write_all(wake_.write, "x");
        return {};
    }
    if (wait.due && (!verdict.decided || row->restart_count != wait.restarts))
        return {true, fmt::format("container {} did not stay up", name)};
    if (!verdict.decided || row->state != ContainerState::running) return verdict;
    if (!wait.due) {
        wait.due = now + wait.action.monitor;
        wait.restarts = row->restart_count;
        sys::write_all(wake_.write, "x");
    }
    return now < *wait.due ? Verdict{} : verdict;
}

void WaitWatcher::end_delays() {
    std::vector<Timer> ended;
    bool monitored = false;
    {
        const std::lock_guard lock(mutex_);
        const auto now = std::chrono::steady_clock::now();
        for (auto timer = timers_.begin(); timer != timers_.end();) {
            if (timer->due > now) {
                ++timer;
                continue;
            }
            ended.push_back(std::move(*timer));
            timer = timers_.erase(timer);
        }
        for (const Wait& wait : waits_) monitored = monitored || (wait.due && *wait.due <= now);
    }
    for (const Timer& timer : ended) timer.done(std::nullopt);
    if (monitored) look({});
}

/// Of a service that is updated, so many may fail.
bool WaitWatcher::is_tolerated(const WaitContainer& action) {
    if (action.tolerated == 0) return false;
    const std::lock_guard lock(mutex_);
    return ++failures_[action.service] <= action.tolerated;
}

void WaitWatcher::look(const std::string& id) {
    std::vector<Wait> finished;
    std::vector<std::optional<Error>> results;
    {
        const std::lock_guard lock(mutex_);
        if (waits_.empty()) return;
        if (!store_) store_.emplace(context_.layout);
        for (auto wait = waits_.begin(); wait != waits_.end();) {
            if (!id.empty() && wait->id != id) {
                ++wait;
                continue;
            }
            const Verdict verdict = verdict_of(*wait);
            if (!verdict.decided) {
                ++wait;
                continue;
            }
            std::optional<Error> error;
            if (!verdict.failure.empty()) {
                error.emplace(verdict.failure);
                if (const std::string lines = last_log_lines(context_.layout, wait->id); !lines.empty())
                    error->with_hint("the last lines of its log:\n" + lines);
            }
            results.push_back(std::move(error));
            finished.push_back(std::move(*wait));
            wait = waits_.erase(wait);
        }
    }
    finish(std::move(finished), results);
}

void WaitWatcher::finish(std::vector<Wait> finished, const std::vector<std::optional<Error>>& results) {
    for (std::size_t i = 0; i < finished.size(); ++i) {
        const Wait& wait = finished[i];
        const std::string id = "Container " + wait.action.container.name;
        const std::optional<Error>& error = results[i];
        if (!error) {
            context_.tell(Status::done, id, wait.exited ? "Exited" : "Healthy");
            wait.done(std::nullopt);
        } else if (wait.action.required && is_tolerated(wait.action)) {
            context_.tell(Status::warning, id, "Failed, as deploy.update_config tolerates", error->what());
            wait.done(std::nullopt);
        } else if (!wait.action.required) {
            if (wait.action.until == Until::ready)
                context_.tell(Status::warning, id, "Failed, and is left at that", error->what());
            else
                context_.tell(
                    Status::warning, id, "Skipped",
                    fmt::format("optional dependency \"{}\" failed to start: {}", wait.action.service, error->what()));
            wait.done(std::nullopt);
        } else {
            context_.tell(Status::error, id, "Error", error->what());
            wait.done(error);
        }
    }
}

void WaitWatcher::expire() {
    end_delays();
    if (!timeout_ || std::chrono::steady_clock::now() < deadline_) return;
    std::vector<Wait> late;
    {
        const std::lock_guard lock(mutex_);
        late.swap(waits_);
    }
    for (Wait& wait : late) {
        context_.tell(Status::error, "Container " + wait.action.container.name, "Error",
                      fmt::format("not ready after {}s", timeout_->count()));
        wait.done(make_error("application not healthy after {}s", timeout_->count()));
    }
}

}  // namespace compose::engine
