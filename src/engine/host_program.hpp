// Programs of the host that give what containers can't: Docker's CLI plugins, and others in PATH.
#pragma once

#include <string>

namespace compose::engine {

/// Where the plugin docker-NAME is, in the folders that Docker looks into or in PATH; empty when it is not here.
[[nodiscard]] std::string find_plugin(const std::string& name);
/// The program behind `provider: {type: NAME}`: the plugin, else NAME in PATH; one with a slash counts from `folder`.
/// Empty when there is none.
[[nodiscard]] std::string find_provider(const std::string& type, const std::string& folder);
/// What a program says goes to a terminal: no control characters.
[[nodiscard]] std::string printable(std::string text);

}  // namespace compose::engine
