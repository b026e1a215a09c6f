#include "cli/log_follow.hpp"

#include "sys/poll.hpp"

namespace compose::cli {

bool is_over(const std::string& state) {
    return state == "exited" || state == "dead" || state == "removed";
}

LogFollow::LogFollow(Engine& engine, std::string project, Wanted wanted, LogRange range, LogPrinter& printer)
    : engine_(engine),
      project_(std::move(project)),
      wanted_(std::move(wanted)),
      range_(range),
      printer_(printer),
      logs_(true) {}

void LogFollow::rest(bool resting) {
    resting_ = resting;
    if (resting) subscription_.reset();
}

bool LogFollow::is_subscribed() {
    if (resting_) return false;
    if (subscription_ && subscription_->ended()) subscription_.reset();
    if (!subscription_) subscription_ = engine_.subscribe(project_);
    return subscription_ != nullptr;
}

void LogFollow::refresh() {
    // Those of which nobody could tell that they went.
    for (auto& [id, view] : containers_) view.state = "removed";
    for (auto& view : engine_.containers(project_)) {
        if (!view.log_path.empty() && !shown_.contains(view.id) && wanted_(view)) {
            shown_[view.id] = true;
            printer_.add(view.id, log_name(view.name, project_), view.service, view.name, view.log_details);
            LogRange range = range_;
            if (began_) range = {.tail = {}, .since = std::max(range_.since, view.created_at), .until = range_.until};
            logs_.add(view.id, view.log_path, range);
        }
        containers_[view.id] = std::move(view);
    }
    began_ = true;
    looked_ = std::chrono::steady_clock::now();
}

void LogFollow::drain() {
    while (auto entry = logs_.next()) printer_.print(*entry);
    printer_.flush();
}

std::vector<ContainerChange> LogFollow::wait(std::span<const sys::FdRef> others, std::chrono::milliseconds timeout) {
    const bool subscribed = is_subscribed();
    std::vector<sys::PollItem> items{{.fd = sys::FdRef(logs_.fd())},
                                     {.fd = subscribed ? sys::FdRef(subscription_->fd()) : sys::FdRef()}};
    for (const auto other : others) items.push_back({.fd = other});
    sys::poll(items, timeout);

    std::vector<ContainerChange> changes;
    bool unknown = false;
    while (subscription_ && !subscription_->ended()) {
        auto change = subscription_->next(std::chrono::milliseconds(0));
        if (!change) break;
        unknown = unknown || !containers_.contains(change->id);
        changes.push_back(std::move(*change));
    }
    // A container that is new to us is shown from its first line on; and one that was renamed while it took the place
    // of another is known by its id.
    if (unknown) refresh();
    for (const auto& change : changes) {
        auto& view = containers_[change.id];
        view.state = change.removed ? "removed" : change.state;
        view.exit_code = change.exit_code;
        view.health = change.health;
    }
    drain();
    for (const auto& change : changes)
        if (change.removed) logs_.remove(change.id);
    return changes;
}

}  // namespace compose::cli
