// `develop: watch`: follows files of this machine and brings running containers up to date with them.
#pragma once

#include <compose/engine.hpp>
#include <compose/project.hpp>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace compose {

struct WatchHooks {
    std::function<void(const std::string& text)> say;  // what is done, and what failed
    /// Builds the services' images anew and replaces their containers. May throw.
    std::function<void(const std::set<std::string>& services)> rebuild;
};

class Watcher {
public:
    /// `services` empty: all that have rules. Throws not_found when none has.
    Watcher(EngineOptions options, const Project& project, const std::vector<std::string>& services, WatchHooks hooks);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    /// First what `initial_sync` asks for, then every change, until `stop`. Failures are told and survived.
    void run(const std::stop_token& stop);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Does any of them (empty: of all) have rules?
[[nodiscard]] bool has_watch_rules(const Project& project, const std::vector<std::string>& services);

}  // namespace compose
