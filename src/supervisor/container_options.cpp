#include "supervisor/container_options.hpp"

#include "base/error.hpp"
#include "base/json.hpp"

namespace compose::supervisor {
namespace {

json::array words(const std::vector<std::string>& list) {
    json::array result;
    for (const auto& word : list) result.emplace_back(word);
    return result;
}

json::array hooks_to_json(const std::vector<HookConfig>& hooks) {
    json::array result;
    for (const auto& hook : hooks)
        result.push_back(json::object{{"command", words(hook.command)},
                                      {"user", hook.user},
                                      {"working_dir", hook.working_dir},
                                      {"privileged", hook.privileged},
                                      {"environment", words(hook.environment)}});
    return result;
}

std::vector<HookConfig> hooks_from_json(const json::object& object, std::string_view key) {
    std::vector<HookConfig> result;
    const auto* const list = object.if_contains(key);
    if (list == nullptr || !list->is_array()) return result;
    for (const auto& value : list->get_array()) {
        if (!value.is_object()) throw make_error(ErrorKind::invalid, "container options: a hook is no object");
        const auto& from = value.get_object();
        result.push_back({strings_or_empty(from, "command"), string_or(from, "user"), string_or(from, "working_dir"),
                          bool_or(from, "privileged", false), strings_or_empty(from, "environment")});
    }
    return result;
}

json::array host_hooks_to_json(const std::vector<runtime::HostHook>& hooks) {
    json::array result;
    for (const auto& hook : hooks)
        result.push_back(json::object{{"stage", hook.stage},
                                      {"path", hook.path},
                                      {"args", words(hook.args)},
                                      {"env", words(hook.env)},
                                      {"timeout", hook.timeout.count()},
                                      {"origin", hook.origin}});
    return result;
}

std::vector<runtime::HostHook> host_hooks_from_json(const json::object& object, std::string_view key) {
    std::vector<runtime::HostHook> result;
    const auto* const list = object.if_contains(key);
    if (list == nullptr || !list->is_array()) return result;
    for (const auto& value : list->get_array()) {
        if (!value.is_object()) throw make_error(ErrorKind::invalid, "container options: a hook is no object");
        const auto& from = value.get_object();
        result.push_back({string_or(from, "stage"), string_or(from, "path"), strings_or_empty(from, "args"),
                          strings_or_empty(from, "env"), std::chrono::seconds(int_or(from, "timeout", 0)),
                          string_or(from, "origin")});
    }
    return result;
}

json::object texts_to_json(const std::map<std::string, std::string>& texts) {
    json::object result;
    for (const auto& [key, value] : texts) result[key] = value;
    return result;
}

std::map<std::string, std::string> texts_from_json(const json::object& object, std::string_view key) {
    std::map<std::string, std::string> result;
    const auto* const texts = object.if_contains(key);
    if (texts == nullptr || !texts->is_object()) return result;
    for (const auto& text : texts->get_object())
        if (text.value().is_string()) result[std::string(text.key())] = std::string(text.value().get_string());
    return result;
}

}  // namespace

std::string to_json(const ContainerOptions& options) {
    return json::serialize(json::object{{"log_file_size", options.log_file_size},
                                        {"log_files", options.log_files},
                                        {"log_compress", options.log_compress},
                                        {"log_backlog", options.log_backlog},
                                        {"restart_delay", options.restart_delay.count()},
                                        {"restart_window", options.restart_window.count()},
                                        {"restart_attempts", options.restart_attempts},
                                        {"restart_on_unhealthy", options.restart_on_unhealthy},
                                        {"log_details", texts_to_json(options.log_details)},
                                        {"links", texts_to_json(options.links)},
                                        {"post_start", hooks_to_json(options.post_start)},
                                        {"pre_stop", hooks_to_json(options.pre_stop)},
                                        {"device_hooks", host_hooks_to_json(options.device_hooks)}});
}

ContainerOptions options_from_json(std::string_view text) {
    ContainerOptions options;
    if (text.empty()) return options;
    const auto value = parse_json(text);
    if (!value.is_object()) throw make_error(ErrorKind::invalid, "container options: not an object");
    const auto& object = value.get_object();
    const auto nanoseconds = [&](std::string_view key) { return std::chrono::nanoseconds(int_or(object, key, 0)); };
    const auto size = [&](std::string_view key, std::uint64_t fallback) {
        return static_cast<std::uint64_t>(int_or(object, key, static_cast<std::int64_t>(fallback)));
    };
    options.log_file_size = size("log_file_size", options.log_file_size);
    options.log_files = static_cast<int>(int_or(object, "log_files", options.log_files));
    options.log_compress = bool_or(object, "log_compress", false);
    options.log_backlog = size("log_backlog", options.log_backlog);
    options.restart_delay = nanoseconds("restart_delay");
    options.restart_window = nanoseconds("restart_window");
    options.restart_attempts = static_cast<int>(int_or(object, "restart_attempts", 0));
    options.restart_on_unhealthy = bool_or(object, "restart_on_unhealthy", false);
    options.log_details = texts_from_json(object, "log_details");
    options.links = texts_from_json(object, "links");
    options.post_start = hooks_from_json(object, "post_start");
    options.pre_stop = hooks_from_json(object, "pre_stop");
    options.device_hooks = host_hooks_from_json(object, "device_hooks");
    return options;
}

}  // namespace compose::supervisor
