// Watching beside something else: `watch`, and `up --watch` with its key to switch it.
#pragma once

#include <compose/project.hpp>
#include <compose/watch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace compose::cli {

class Context;

/// What a watcher says goes to stderr; rebuilding is an `up --build` of the services alone.
[[nodiscard]] WatchHooks watch_hooks(Context& context, const Project& project, bool quiet, bool prune);

/// A watcher in a thread of its own, as long as it lives.
class WatchThread {
public:
    WatchThread(Context& context, const Project& project, const std::vector<std::string>& services);

private:
    std::jthread thread_;
};

}  // namespace compose::cli
