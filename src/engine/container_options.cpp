// The parts of a container's row that say how it is looked after: log limits, restarts, hooks, links, probes.
#include <charconv>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "engine/log_details.hpp"
#include "engine/record_builder.hpp"
#include "sys/inet.hpp"

namespace compose::engine {
namespace {

using supervisor::ContainerOptions;
using supervisor::NetProbeConfig;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62U;

std::optional<int> number_of(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::uint64_t size_of(const std::string& key, const std::string& text) {
    const auto size = parse_bytes(text);
    if (!size || *size < 1) throw make_error(ErrorKind::invalid, "logging option {}: {} is no size", key, quote(text));
    return static_cast<std::uint64_t>(*size);
}

bool switch_of(const std::string& key, const std::string& text) {
    for (const char* word : {"true", "True", "TRUE", "t", "T", "1"})
        if (text == word) return true;
    for (const char* word : {"false", "False", "FALSE", "f", "F", "0"})
        if (text == word) return false;
    throw make_error(ErrorKind::invalid, "logging option {}: {} is neither true nor false", key, quote(text));
}

void set_log_option(const std::string& key, const std::string& value, ContainerOptions& out) {
    constexpr int kMostFiles = 1000;
    if (key == "max-size") {
        // Docker's word for "without limit".
        out.log_file_size = value == "-1" ? kNoLimit : size_of(key, value);
    } else if (key == "max-file") {
        const auto count = number_of(value);
        if (!count || *count < 1 || *count > kMostFiles)
            throw make_error(ErrorKind::invalid, "logging option max-file: {} is no number of files", quote(value));
        out.log_files = *count;
    } else if (key == "max-buffer-size") {
        out.log_backlog = size_of(key, value);
    } else if (key == "mode") {
        if (value != "blocking" && value != "non-blocking")
            throw make_error(ErrorKind::invalid, "logging option mode: {} is neither blocking nor non-blocking",
                             quote(value));
    } else if (key == "compress") {
        out.log_compress = switch_of(key, value);
    } else if (key == "tag") {
        check_log_tag(value);
    } else if (key == "labels-regex" || key == "env-regex") {
        check_log_pattern(key, value);
    } else if (key != "labels" && key != "env") {
        throw make_error(ErrorKind::invalid, "logging option {} is not implemented", key)
            .with_hint("max-size, max-file, compress, mode, max-buffer-size, labels, env and tag are");
    }
}

void set_logging(const Logging& logging, ContainerOptions& out) {
    const std::string& driver = logging.driver;
    if (!driver.empty() && driver != "json-file" && driver != "local" && driver != "none")
        throw make_error(ErrorKind::invalid, "logging driver {} is not here", quote(driver))
            .with_hint("json-file, local and none are");
    if (driver == "none") return;
    if (driver == "local") {  // as Docker has it
        out.log_file_size = 20 << 20;
        out.log_files = 5;
        out.log_compress = true;
    }
    // Ours without a word is some of everything; who names a size gets what Docker makes of it: one file.
    if (driver != "local" && logging.options.contains("max-size")) out.log_files = 1;
    for (const auto& [key, value] : logging.options) set_log_option(key, value, out);
    if (logging.options.contains("max-buffer-size") && !logging.options.contains("mode"))
        throw make_error(ErrorKind::invalid, "logging option max-buffer-size needs mode: non-blocking");
    const bool can_compress = out.log_files > 1 && out.log_file_size != kNoLimit;
    if (!logging.options.contains("compress")) out.log_compress = out.log_compress && can_compress;
    if (out.log_compress && !can_compress)
        throw make_error(ErrorKind::invalid,
                         "compress cannot be true when max-file is less than 2 or max-size is not set");
}

std::vector<supervisor::HookConfig> hooks_of(const std::vector<Hook>& hooks) {
    std::vector<supervisor::HookConfig> result;
    for (const Hook& hook : hooks) {
        supervisor::HookConfig config{hook.command, hook.user, hook.working_dir, hook.privileged, {}};
        for (const auto& [name, value] : hook.environment)
            if (value) config.environment.push_back(name + "=" + *value);
        result.push_back(std::move(config));
    }
    return result;
}

void set_links(const Service& service, ContainerOptions& out) {
    for (const auto* links : {&service.links, &service.external_links})
        for (const std::string& link : *links) {
            const auto colon = link.find(':');
            if (colon != std::string::npos) out.links[link.substr(colon + 1)] = link.substr(0, colon);
        }
}

Error bad_probe(const std::string& what) {
    return make_error(ErrorKind::invalid, "x-probe: {}", what)
        .with_hint("write `x-probe: {tcp: 5432}` or `x-probe: {http: \":8080/healthz\"}`");
}

std::uint16_t port_of(std::string_view text) {
    const auto port = number_of(text);
    if (!port || *port < 1 || *port > 65535) throw bad_probe(fmt::format("{} is no port", quote(text)));
    return static_cast<std::uint16_t>(*port);
}

// "5432", ":8080", "127.0.0.1:80", "[::1]:80"
void read_address(std::string_view text, NetProbeConfig& out) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        out.port = port_of(text);
        return;
    }
    out.port = port_of(text.substr(colon + 1));
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty() || host == "localhost") return;
    out.host = host;
    if (!sys::InetAddress::parse(out.host, out.port))
        throw bad_probe(fmt::format("{} is no address, and names are not looked up", quote(host)));
}

}  // namespace

std::optional<NetProbeConfig> net_probe(const Service& service) {
    const auto found = service.extensions.find("x-probe");
    if (found == service.extensions.end()) return std::nullopt;
    const json::value value = parse_json(found->second);
    const auto* const object = value.if_object();
    if (object == nullptr || object->size() != 1) throw bad_probe("one of tcp and http is wanted");
    const auto& entry = *object->begin();
    std::string text;
    if (entry.value().is_string()) text = std::string(entry.value().get_string());
    if (entry.value().is_int64()) text = std::to_string(entry.value().get_int64());
    NetProbeConfig config;
    if (entry.key() == "tcp") {
        read_address(text, config);
    } else if (entry.key() == "http") {
        config.kind = NetProbeConfig::Kind::http;
        std::string_view rest = text;
        if (rest.starts_with("https:")) throw bad_probe("https is not supported");
        if (rest.starts_with("http://")) rest.remove_prefix(std::string_view("http://").size());
        const auto slash = rest.find('/');
        if (slash != std::string_view::npos) config.path = rest.substr(slash);
        for (const char c : config.path)
            if (static_cast<unsigned char>(c) <= ' ') throw bad_probe("a path must not contain blanks");
        const auto address = rest.substr(0, slash);
        read_address(address.find(':') == std::string_view::npos && !number_of(address) && !address.empty()
                         ? std::string(address) + ":80"
                         : std::string(address),
                     config);
    } else {
        throw bad_probe(fmt::format("{} is neither tcp nor http", quote(entry.key())));
    }
    return config;
}

ContainerOptions container_options(const Service& service) {
    ContainerOptions options;
    if (service.logging) set_logging(*service.logging, options);
    if (service.deploy.restart_delay) options.restart_delay = *service.deploy.restart_delay;
    if (service.deploy.restart_window) options.restart_window = *service.deploy.restart_window;
    if (service.restart.kind == RestartPolicy::Kind::always) options.restart_attempts = service.restart.max_retries;
    if (const auto found = service.extensions.find("x-restart-on-unhealthy"); found != service.extensions.end()) {
        if (found->second != "true" && found->second != "false")
            throw make_error(ErrorKind::invalid, "x-restart-on-unhealthy is neither true nor false");
        options.restart_on_unhealthy = found->second == "true";
    }
    set_links(service, options);
    options.post_start = hooks_of(service.post_start);
    options.pre_stop = hooks_of(service.pre_stop);
    return options;
}

}  // namespace compose::engine
