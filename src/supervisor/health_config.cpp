#include "base/error.hpp"
#include "base/json.hpp"
#include "supervisor/client.hpp"

namespace compose::supervisor {

std::string to_json(const HealthConfig& config) {
    json::array command;
    for (const auto& word : config.command) command.emplace_back(word);
    json::object result{{"command", std::move(command)},
                        {"interval", config.interval.count()},
                        {"timeout", config.timeout.count()},
                        {"start_period", config.start_period.count()},
                        {"start_interval", config.start_interval.count()},
                        {"retries", config.retries}};
    if (config.net)
        result["net"] = json::object{{"kind", config.net->kind == NetProbeConfig::Kind::http ? "http" : "tcp"},
                                     {"host", config.net->host},
                                     {"port", config.net->port},
                                     {"path", config.net->path}};
    return json::serialize(result);
}

HealthConfig health_from_json(std::string_view text) {
    const auto value = parse_json(text);
    if (!value.is_object()) throw make_error(ErrorKind::invalid, "health check: not an object");
    const auto& object = value.as_object();
    HealthConfig config;
    const auto nanoseconds = [&](std::string_view key, std::chrono::nanoseconds fallback) {
        return std::chrono::nanoseconds(int_or(object, key, fallback.count()));
    };
    config.command = strings_or_empty(object, "command");
    config.interval = nanoseconds("interval", config.interval);
    config.timeout = nanoseconds("timeout", config.timeout);
    config.start_period = nanoseconds("start_period", config.start_period);
    config.start_interval = nanoseconds("start_interval", config.start_interval);
    config.retries = static_cast<int>(int_or(object, "retries", config.retries));
    if (const auto* net = object.if_contains("net"); net != nullptr && net->is_object()) {
        const auto& from = net->get_object();
        config.net.emplace();
        if (string_or(from, "kind") == "http") config.net->kind = NetProbeConfig::Kind::http;
        config.net->host = string_or(from, "host");
        config.net->port = static_cast<std::uint16_t>(int_or(from, "port", 0));
        config.net->path = string_or(from, "path");
    }
    if (config.command.empty() && !config.net) throw make_error(ErrorKind::invalid, "health check without a command");
    return config;
}

}  // namespace compose::supervisor
