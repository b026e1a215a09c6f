// What the engine decides about how a container is looked after, beside what the runtime must know: its log, its
// restarts, its hooks, its links. Kept with the container as JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host_hook.hpp"

namespace compose::supervisor {

/// A command that is run in the container at some point of its life.
struct HookConfig {
    std::vector<std::string> command;
    std::string user;
    std::string working_dir;
    bool privileged = false;
    std::vector<std::string> environment;  // "K=V", added to the container's
};

struct ContainerOptions {
    std::uint64_t log_file_size = 10 << 20;
    int log_files = 3;
    bool log_compress = false;                   // rotated files
    std::uint64_t log_backlog = 1 << 20;         // kept in memory while the log can't be written
    std::chrono::nanoseconds restart_delay{0};   // always this long; 0: longer from time to time
    std::chrono::nanoseconds restart_window{0};  // having run so long, its attempts are counted anew
    int restart_attempts = 0;                    // 0: without limit
    bool restart_on_unhealthy = false;
    std::map<std::string, std::string> log_details;  // shown beside each line, where asked for
    std::map<std::string, std::string> links;        // a name only it knows -> the name that is meant
    std::vector<HookConfig> post_start, pre_stop;
    std::vector<runtime::HostHook> device_hooks;
};

[[nodiscard]] std::string to_json(const ContainerOptions& options);
/// Empty text: the defaults. Throws Error(invalid) for what is no object.
[[nodiscard]] ContainerOptions options_from_json(std::string_view text);

}  // namespace compose::supervisor
