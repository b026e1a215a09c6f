#include "cli/docker_settings.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/context.hpp"
#include "sys/file.hpp"

namespace compose::cli {

std::string docker_setting(const Context& context, const char* name) {
    auto folder = context.variable("DOCKER_CONFIG");
    if (folder.empty() && !context.variable("HOME").empty()) folder = context.variable("HOME") + "/.docker";
    if (folder.empty()) return {};
    try {
        const auto text = sys::read_file_if_exists(folder + "/config.json");
        if (!text) return {};
        const auto value = parse_json(*text);
        return value.is_object() ? string_or(value.as_object(), name) : std::string();
    } catch (const Error&) {
        return {};
    }
}

std::string detach_keys_setting(const Context& context) {
    const auto keys = docker_setting(context, "detachKeys");
    return keys.empty() ? "ctrl-p,ctrl-q" : keys;
}

}  // namespace compose::cli
