// One command in a throwaway container, waited for.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "runtime/spec.hpp"
#include "sys/fd.hpp"

namespace compose::engine {

struct RunOutcome {
    int exit_code = 0;
    std::string failure;  // it did not start: why
    bool cancelled = false;
    bool out_of_memory = false;
};

/// `connect` gets the new network namespace before anything runs in it (may be empty); `output` what the command writes
/// to stdout and stderr. When this returns, the container and its cgroup are gone.
[[nodiscard]] RunOutcome run_container(const runtime::ContainerSpec& spec,
                                       const std::function<void(sys::FdRef)>& connect,
                                       const std::function<void(std::string_view)>& output,
                                       const std::stop_token& cancel);

}  // namespace compose::engine
