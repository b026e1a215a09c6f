// A command in a container with the user's terminal or pipes: `compose exec` and `container exec`.
#pragma once

#include <compose/engine.hpp>
#include <functional>
#include <memory>
#include <string>

namespace compose::cli {

using OpenExec = std::function<std::unique_ptr<ExecSession>(const ExecOptions&, int in, int out, int err)>;

/// With a terminal when `options.terminal` says so. Until it has ended; returns its exit code. Empty `detach_keys`: no
/// leaving it.
int run_exec(const OpenExec& open, ExecOptions options, bool interactive, const std::string& detach_keys = {});

}  // namespace compose::cli
