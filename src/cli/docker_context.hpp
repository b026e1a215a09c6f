// docker context: this machine is the only one.
#pragma once

#include "cli/commands.hpp"

namespace compose::cli {

Run define_context_inspect(Arguments& arguments);
Run define_context_ls(Arguments& arguments);
Run define_context_show(Arguments& arguments);
Run define_context_use(Arguments& arguments);

/// Throws Error(usage) when `host`, an address as DOCKER_HOST has it, is of another machine's daemon.
void check_host(const std::string& host, const char* where);

}  // namespace compose::cli
