#include "cli/docker_settings.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

constexpr const char* kLocalDaemon = "unix:///var/run/docker.sock";
constexpr struct {
    const char* key;
    const char* variable;
} kProxies[] = {{"httpProxy", "HTTP_PROXY"},
                {"httpsProxy", "HTTPS_PROXY"},
                {"noProxy", "NO_PROXY"},
                {"ftpProxy", "FTP_PROXY"},
                {"allProxy", "ALL_PROXY"}};

/// Empty when there is no place for one.
std::string config_path(const Context& context) {
    auto folder = context.variable("DOCKER_CONFIG");
    if (folder.empty() && !context.variable("HOME").empty()) folder = context.variable("HOME") + "/.docker";
    return folder.empty() ? folder : folder + "/config.json";
}

const json::object& object_in(const json::value& value, const std::string& name) {
    if (!value.is_object()) throw make_error(ErrorKind::invalid, "{} is no JSON object", name);
    return value.get_object();
}

}  // namespace

std::map<std::string, std::string> proxies_in(std::string_view config, const std::string& daemon) {
    std::map<std::string, std::string> out;
    if (trim(config).empty()) return out;
    const auto whole = parse_json(config);
    const auto* proxies = object_in(whole, "it").if_contains("proxies");
    if (proxies == nullptr || proxies->is_null()) return out;
    const auto& hosts = object_in(*proxies, "proxies");
    const auto* chosen = hosts.if_contains(daemon);
    const std::string name = chosen != nullptr ? daemon : "default";
    if (chosen == nullptr) chosen = hosts.if_contains(name);
    if (chosen == nullptr) return out;
    const auto& entry = object_in(*chosen, "proxies." + name);
    for (const auto& [key, variable] : kProxies) {
        const auto* value = entry.if_contains(key);
        if (value == nullptr) continue;
        if (!value->is_string()) throw make_error(ErrorKind::invalid, "proxies.{}.{} is no text", name, key);
        if (value->get_string().empty()) continue;
        out[variable] = out[lower(variable)] = std::string(value->get_string());
    }
    return out;
}

std::map<std::string, std::string> proxy_settings(Context& context) {
    const auto path = config_path(context);
    if (path.empty()) return {};
    const auto daemon = context.variable("DOCKER_HOST");
    try {
        const auto text = sys::read_file_if_exists(path);
        return text ? proxies_in(*text, daemon.empty() ? kLocalDaemon : daemon) : std::map<std::string, std::string>{};
    } catch (const Error& error) {
        context.warn(fmt::format("its proxies are not used: {}: {}", path, error.what()));
        return {};
    }
}

void give_proxies(Project& project, const std::map<std::string, std::string>& proxies) {
    for (auto* services : {&project.services, &project.disabled_services})
        for (auto& [name, service] : *services) {
            for (const auto& [variable, value] : proxies) service.environment.emplace(variable, value);
            if (service.build) service.build->args.insert(proxies.begin(), proxies.end());
        }
}

std::string docker_setting(const Context& context, const char* name) {
    const auto path = config_path(context);
    if (path.empty()) return {};
    try {
        const auto text = sys::read_file_if_exists(path);
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
