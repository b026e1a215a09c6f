// Follows a project: what its containers write and what becomes of them. Shared by `logs -f` and a foreground `up`.
#pragma once

#include <chrono>
#include <compose/engine.hpp>
#include <compose/logs.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/log_printer.hpp"
#include "sys/fd.hpp"

namespace compose::cli {

class LogFollow {
public:
    using Wanted = std::function<bool(const ContainerView&)>;
    /// `wanted` says whose lines are shown; all containers are tracked.
    LogFollow(Engine& engine, std::string project, Wanted wanted, LogRange range, LogPrinter& printer);

    /// Looks which containers there are; new ones that are wanted are read from now on. Those that were not there the
    /// first time are shown from their own first line: what they took over from others has been seen.
    void refresh();
    /// Was the last look so long ago? A supervisor may have forgotten a container before it was asked to tell of it.
    [[nodiscard]] bool is_stale() const { return std::chrono::steady_clock::now() - looked_ > std::chrono::seconds(2); }
    /// Prints every line there is.
    void drain();
    /// Waits until there are lines or changes, or one of `others` is readable, or `timeout` is over. Returns the
    /// changes, after the lines that were written before them have been printed.
    [[nodiscard]] std::vector<ContainerChange> wait(std::span<const sys::FdRef> others,
                                                    std::chrono::milliseconds timeout);
    [[nodiscard]] const std::map<std::string, ContainerView>& containers() const { return containers_; }
    [[nodiscard]] bool is_shown(const std::string& id) const { return shown_.contains(id); }
    /// A supervisor tells of changes. Without one nothing runs.
    [[nodiscard]] bool is_subscribed();
    /// While nothing is left to follow, but something may come: a supervisor that is about to end is not kept.
    void rest(bool resting);

private:
    Engine& engine_;
    std::string project_;
    Wanted wanted_;
    LogRange range_;
    LogPrinter& printer_;
    ContainerLogs logs_;
    std::unique_ptr<Subscription> subscription_;
    std::map<std::string, ContainerView> containers_;
    std::map<std::string, bool> shown_;
    std::chrono::steady_clock::time_point looked_{};
    bool began_ = false;
    bool resting_ = false;
};

/// Has it ended for good, as far as `state` tells?
[[nodiscard]] bool is_over(const std::string& state);

}  // namespace compose::cli
