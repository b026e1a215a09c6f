#include "engine/record_builder.hpp"

#include <algorithm>
#include <charconv>
#include <compose/version.hpp>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/ipv6.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/log_details.hpp"
#include "engine/network_options.hpp"
#include "plan/depends_label.hpp"
#include "plan/graph.hpp"
#include "sys/process.hpp"

namespace compose::engine {
namespace {

constexpr std::string_view kPrefix = "com.docker.compose.";

int stop_signal_of(const Service& service, const ImageFacts& image) {
    const std::string& name = service.stop_signal.empty() ? image.stop_signal : service.stop_signal;
    if (name.empty()) return 15;
    const std::optional<int> number = sys::signal_number(name);
    if (!number) throw make_error(ErrorKind::invalid, "stop signal \"{}\" is unknown", name);
    return *number;
}

/// 0 means "not set" in image configurations, as in Docker's.
template <class T>
std::optional<T> first_set(const std::optional<T>& own, const std::optional<T>& inherited) {
    if (own && *own != T{}) return own;
    if (inherited && *inherited != T{}) return inherited;
    return std::nullopt;
}

std::vector<std::string> probe_command(const std::vector<std::string>& test, const ImageFacts& image) {
    std::vector<std::string> command;
    if (test.front() == "CMD-SHELL") {
        command = image.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : image.shell;
        command.insert(command.end(), test.begin() + 1, test.end());
    } else {  // CMD
        command.assign(test.begin() + 1, test.end());
    }
    return command;
}

void add_range(std::string_view text, std::vector<ExposedPort>& out) {
    const std::size_t slash = text.find('/');
    const std::string protocol = slash == std::string_view::npos ? "tcp" : lower(text.substr(slash + 1));
    const std::string_view ports = text.substr(0, slash);
    const std::size_t dash = ports.find('-');
    const auto number = [](std::string_view digits) -> unsigned {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return error == std::errc{} && end == digits.data() + digits.size() && value <= 65535 ? value : 0;
    };
    const unsigned first = number(ports.substr(0, dash));
    const unsigned last = dash == std::string_view::npos ? first : number(ports.substr(dash + 1));
    constexpr unsigned kMost = 1024;
    if (first == 0 || last - first > kMost || out.size() > kMost) return;  // an image may say anything
    for (unsigned port = first; port <= last; ++port) out.push_back({static_cast<std::uint16_t>(port), protocol});
}

}  // namespace

Labels container_labels(const Project& project, const Service& service, const ImageFacts& image, int number) {
    Labels labels = service.labels;
    labels.insert(image.labels.begin(), image.labels.end());
    const auto set = [&](std::string_view key, std::string value) {
        labels[std::string(kPrefix) + std::string(key)] = std::move(value);
    };
    set("project", project.name);
    set("service", service.name);
    set("container-number", std::to_string(number));
    set("oneoff", "False");
    set("config-hash", service.config_hash);
    set("image", image.id);
    std::vector<Dependency> containers = service.depends_on;
    std::erase_if(containers, [&](const Dependency& on) { return plan::is_provider(&project, on.service); });
    set("depends_on", plan::render_depends_on(containers));
    set("project.working_dir", project.working_dir);
    set("project.config_files", join(project.config_files, ","));
    if (!project.environment_files.empty()) set("project.environment_file", join(project.environment_files, ","));
    set("version", kVersion);
    return labels;
}

std::optional<supervisor::HealthConfig> effective_health(const Service& service, const ImageFacts& image) {
    const Healthcheck none;
    const Healthcheck& own = service.healthcheck ? *service.healthcheck : none;
    const Healthcheck& inherited = image.healthcheck ? *image.healthcheck : none;
    const std::vector<std::string>& test = own.test.empty() ? inherited.test : own.test;
    supervisor::HealthConfig config;
    config.net = own.test.empty() && !own.disabled ? net_probe(service) : std::nullopt;
    if (!config.net) {
        if (own.disabled || test.empty() || test.front() == "NONE") return std::nullopt;
        if (own.test.empty() && inherited.disabled) return std::nullopt;
        config.command = probe_command(test, image);
        if (config.command.empty()) return std::nullopt;
    }
    if (const auto v = first_set(own.interval, inherited.interval)) config.interval = *v;
    if (const auto v = first_set(own.timeout, inherited.timeout)) config.timeout = *v;
    if (const auto v = first_set(own.start_period, inherited.start_period)) config.start_period = *v;
    if (const auto v = first_set(own.start_interval, inherited.start_interval)) config.start_interval = *v;
    if (const auto v = first_set(own.retries, inherited.retries)) config.retries = *v;
    return config;
}

std::string restart_text(const RestartPolicy& policy) {
    switch (policy.kind) {
        case RestartPolicy::Kind::no:
            return "no";
        case RestartPolicy::Kind::always:
            return "always";
        case RestartPolicy::Kind::unless_stopped:
            return "unless-stopped";
        case RestartPolicy::Kind::on_failure:
            return policy.max_retries > 0 ? fmt::format("on-failure:{}", policy.max_retries) : "on-failure";
    }
    return "no";
}

std::vector<ExposedPort> exposed_ports(const Service& service, const ImageFacts& image) {
    std::vector<ExposedPort> result;
    for (const std::string& text : image.exposed) add_range(text, result);
    for (const std::string& text : service.expose) add_range(text, result);
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

/// Host ports to take at each start; then ports that are only exposed, which `ps` shows ("publish": false).
std::string ports_json(const Service& service, const ImageFacts& image, const std::string& binding) {
    json::array list;
    if (network_kind(service) != NetworkKind::own) return {};
    for (const Port& port : service.ports)
        list.push_back({{"protocol", port.protocol},
                        {"host_ip", canonical_address(port.host_ip.empty() ? binding : port.host_ip)},
                        {"first", port.published_first},
                        {"last", std::max(port.published_first, port.published_last)},
                        {"container_port", port.target}});
    for (const ExposedPort& exposed : exposed_ports(service, image)) {
        const bool published = std::any_of(service.ports.begin(), service.ports.end(), [&](const Port& port) {
            return port.target == exposed.port && port.protocol == exposed.protocol;
        });
        if (!published)
            list.push_back({{"protocol", exposed.protocol}, {"container_port", exposed.port}, {"publish", false}});
    }
    return list.empty() ? std::string{} : json::serialize(list);
}

store::Container build_record(const Project& project, const Service& service, const ImageFacts& image,
                              const ContainerFacts& facts, const std::string& row_name) {
    store::Container container;
    container.id = facts.id;
    container.name = row_name;
    container.project = project.name;
    container.service = service.name;
    container.number = facts.number;
    container.config_hash = service.config_hash;
    container.labels = container_labels(project, service, image, facts.number);
    container.created_at = facts.created_at;
    const runtime::ContainerSpec spec = build_spec(service, image, facts);
    container.config.spec = runtime::to_json(spec);
    container.config.image = service.image;
    container.config.image_id = image.id;
    container.config.restart = restart_text(service.restart);
    container.config.stop_signal = stop_signal_of(service, image);
    if (service.stop_grace_period) container.config.stop_timeout_ns = service.stop_grace_period->count();
    if (const auto health = effective_health(service, image)) container.config.health_json = to_json(*health);
    container.config.dns = service.dns;
    container.config.ports_json = ports_json(service, image, facts.host_binding);
    supervisor::ContainerOptions options = container_options(service);
    store::Container named = container;
    named.name = facts.name;  // not the one that it has until it takes the place of another
    options.log_details = log_details(service, image, named, spec.process.env);
    options.device_hooks = facts.cdi.hooks;
    container.config.options_json = to_json(options);
    container.config.log = !service.logging || service.logging->driver != "none";
    return container;
}

}  // namespace compose::engine
