// What users have set in Docker's client configuration ($DOCKER_CONFIG or ~/.docker, config.json) and expect to count
// here too.
#pragma once

#include <string>

namespace compose::cli {

class Context;

/// A text of the configuration; empty when it is not there, or the file can't be read.
[[nodiscard]] std::string docker_setting(const Context& context, const char* name);
/// "ctrl-p,ctrl-q" unless `detachKeys` says otherwise.
[[nodiscard]] std::string detach_keys_setting(const Context& context);

}  // namespace compose::cli
