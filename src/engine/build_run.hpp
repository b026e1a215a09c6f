// One command in a throwaway container, waited for.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec.hpp"
#include "sys/fd.hpp"

namespace compose::engine {

struct RunOutcome {
    int exit_code = 0;
    std::string failure;  // it did not start: why
    bool cancelled = false;
    bool out_of_memory = false;
};

struct RunRequest {
    const runtime::ContainerSpec& spec;
    const std::vector<runtime::HostHook>& hooks;   // when there are some, the spec has a bundle
    std::function<void(sys::FdRef)> connect;       // gets the new network namespace before anything runs in it
    std::function<void(std::string_view)> output;  // gets what the command writes to stdout and stderr
};

/// When this returns, the container and its cgroup are gone.
[[nodiscard]] RunOutcome run_container(const RunRequest& request, const std::stop_token& cancel);

}  // namespace compose::engine
