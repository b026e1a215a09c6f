// What users have set in Docker's client configuration ($DOCKER_CONFIG or ~/.docker, config.json) and expect to count
// here too.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <string>
#include <string_view>

namespace compose::cli {

class Context;

/// A text of the configuration; empty when it is not there, or the file can't be read.
[[nodiscard]] std::string docker_setting(const Context& context, const char* name);
/// HTTP_PROXY, http_proxy and the like as `proxies` of a config.json has them for containers: those of `daemon` where
/// it has an entry, else of "default". Throws Error(invalid) when the text is malformed.
[[nodiscard]] std::map<std::string, std::string> proxies_in(std::string_view config, const std::string& daemon);
/// The user's own; a configuration that can't be read is warned of, and is as good as none.
[[nodiscard]] std::map<std::string, std::string> proxy_settings(Context& context);
/// As variables of all containers, and as build arguments; what the project says itself wins. They are no part of what
/// a service is: others make nobody anew.
void give_proxies(Project& project, const std::map<std::string, std::string>& proxies);
/// "ctrl-p,ctrl-q" unless `detachKeys` says otherwise.
[[nodiscard]] std::string detach_keys_setting(const Context& context);

}  // namespace compose::cli
