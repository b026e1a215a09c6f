// A foreground `up`: shows what the containers write while they start, run and stop; the first Ctrl-C stops them, the
// second kills them.
#pragma once

#include <compose/engine.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/log_printer.hpp"

namespace compose::sys {
class SignalSet;
}

namespace compose::cli {

class Context;

struct AttachOptions {
    enum class Abort { never, on_exit, on_failure };
    std::string project;
    std::set<std::string> shown;    // services whose lines are printed
    std::set<std::string> targets;  // services whose end is waited for and that Ctrl-C stops
    LogStyle style;
    Abort abort = Abort::never;
    std::string exit_code_from;          // a service, or empty
    std::optional<Nanoseconds> timeout;  // for stopping
    std::int64_t since = 0;              // lines before this are old news
    bool menu = false;                   // keys of the terminal mean something
    bool watching = false;               // follow files, too
    std::vector<std::string> watch_services;
    const Project* file = nullptr;     // what is watched
    const Project* written = nullptr;  // with the providers that stop with the rest
    std::string config;                // shown for the key `o`
};

/// `start` runs in a thread of its own and starts the containers. Returns the exit status.
int attach(Context& context, sys::SignalSet& signals, const AttachOptions& options,
           const std::function<void(Engine&, std::stop_token)>& start);

}  // namespace compose::cli
