#include "engine/providers.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "plan/graph.hpp"
#include "plan/images.hpp"
#include "sys/command.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{4} << 20U;

using Variables = std::map<std::string, std::string>;

/// What a program says goes to a terminal.
std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

std::string prefix_of(const std::string& service) {
    std::string out = service + "_";
    for (char& c : out)
        if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
        else if (c == '-' || c == '.')
            c = '_';
    return out;
}

/// One call of the program.
class Call {
public:
    Call(const Project& project, const Service& service, const char* verb, EventSink& events)
        : service_(service), id_("Provider " + service.name), events_(events) {
        const Provider& provider = *service.provider;
        command_.argv = {provider.type, "compose", "--project-name=" + project.name, verb};
        for (const auto& [name, values] : provider.options)
            for (const std::string& value : values) command_.argv.push_back("--" + name + "=" + value);
        command_.argv.push_back(service.name);
        command_.working_dir = project.working_dir;
        command_.output_limit = kLongestAnswer;
    }

    void run() {
        sys::CommandResult result;
        try {
            result = sys::run_command(command_);
        } catch (Error& error) {
            if (error.exit_code() != 127) throw;
            throw make_error(ErrorKind::not_found, "there is no program {}, which provides service {}",
                             quote(service_.provider->type), quote(service_.name))
                .with_hint("install it somewhere in PATH");
        }
        for (const std::string& line : split(result.out, '\n'))
            if (!trim(line).empty()) hear(std::string(trim(line)));
        if (!failure_.empty()) throw make_error("service {}: {}", quote(service_.name), failure_);
        if (!result.ok()) {
            const std::string said = printable(std::string(trim(result.err)));
            throw make_error("service {}: its provider {} failed with exit code {}{}", quote(service_.name),
                             quote(service_.provider->type), result.exit_code, said.empty() ? "" : ": " + said);
        }
    }

    Variables prefixed, raw;

private:
    void hear(const std::string& line) {
        json::object message;
        try {
            const auto value = parse_json(line);
            if (!value.is_object()) throw make_error("no object");
            message = value.as_object();
        } catch (const Error&) {
            throw make_error("service {}: its provider {} said {}, which is not a line of its protocol",
                             quote(service_.name), quote(service_.provider->type),
                             quote(printable(line).substr(0, 80)));
        }
        const std::string type = string_or(message, "type"), text = string_or(message, "message");
        if (type == "error") {
            failure_ = printable(text);
        } else if (type == "info") {
            events_.on_event({Event::Status::working, id_, printable(text), {}, 0, 0});
        } else if (type == "setenv" || type == "rawsetenv") {
            const auto equals = text.find('=');
            if (equals == std::string::npos || equals == 0 || text.find('\0') != std::string::npos)
                throw make_error("service {}: its provider {} set {}, which is not NAME=VALUE", quote(service_.name),
                                 quote(service_.provider->type), quote(printable(text)));
            const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
            (type == "setenv" ? prefixed[prefix_of(service_.name) + name] : raw[name]) = value;
        }  // debug, and what later versions say
    }

    const Service& service_;
    std::string id_;
    EventSink& events_;
    sys::Command command_;
    std::string failure_;
};

/// All that are provided, dependencies first. Throws ProjectError when one waits for a container.
std::vector<std::string> providers_in_order(const Project& project) {
    plan::DependencyMap map;
    for (const auto& [name, service] : project.services) {
        if (!service.provider) continue;
        map[name] = service.depends_on;
        for (const Dependency& dependency : service.depends_on)
            if (const auto on = project.services.find(dependency.service);
                on != project.services.end() && !on->second.provider)
                throw make_error(ErrorKind::invalid,
                                 "services.{}.depends_on: a provided service can't wait for the container of {}", name,
                                 quote(dependency.service))
                    .with_hint("providers run before all containers: remove it");
    }
    return plan::dependency_order(map);
}

void give(Service& service, const std::string& provider, const Call& call, EventSink& events) {
    std::string all;
    for (const auto& [name, value] : call.prefixed) {
        service.environment[name] = value;
        all += name + "=" + value + "\n";
    }
    for (const auto& [name, value] : call.raw) {
        const auto [entry, fresh] = service.environment.try_emplace(name, value);
        if (!fresh && entry->second != value)
            events.on_event({Event::Status::warning,
                             "Provider " + provider,
                             fmt::format("overrides {} of service {}", name, quote(service.name)),
                             {},
                             0,
                             0});
        entry->second = value;
        all += name + "=" + value + "\n";
    }
    if (!all.empty()) service.config_hash = sha256_hex(service.config_hash + "\n" + all);
}

}  // namespace

bool has_providers(const Project& project) {
    return std::any_of(project.services.begin(), project.services.end(),
                       [](const auto& entry) { return entry.second.provider.has_value(); });
}

Project provide(const Project& project, const UpOptions& options, EventSink& events, const std::stop_token& cancel) {
    Project result = project;
    const auto wanted =
        options.no_deps && !options.services.empty() ? options.services : with_dependencies(project, options.services);
    for (const std::string& name : providers_in_order(project)) {
        const Service& service = project.services.at(name);
        const bool run = !options.dry_run && std::find(wanted.begin(), wanted.end(), name) != wanted.end();
        if (cancel.stop_requested()) throw make_error("canceled").with_exit_code(130);
        Call call(project, service, "up", events);
        if (run) {
            events.on_event({Event::Status::working, "Provider " + name, "Starting", {}, 0, 0});
            call.run();
            events.on_event({Event::Status::done, "Provider " + name, "Started", {}, 0, 0});
        }
        for (auto& [key, dependent] : result.services)
            if (std::erase_if(dependent.depends_on, [&](const Dependency& on) { return on.service == name; }) != 0)
                give(dependent, name, call, events);
        result.disabled_services.insert(result.services.extract(name));
    }
    return result;
}

std::optional<UpOptions> without_provided(const Project& provided, const UpOptions& options) {
    UpOptions result = options;
    std::erase_if(result.services, [&](const std::string& name) {
        const auto service = provided.disabled_services.find(name);
        return service != provided.disabled_services.end() && service->second.provider.has_value();
    });
    if (result.services.empty() && !options.services.empty() && options.await_for.empty()) return std::nullopt;
    if (result.services.empty() && provided.services.empty() && !options.remove_orphans) return std::nullopt;
    return result;
}

void end_providers(const Project& project, const std::vector<std::string>& services, const char* verb,
                   EventSink& events) {
    if (!has_providers(project)) return;
    auto order = providers_in_order(project);
    std::reverse(order.begin(), order.end());
    const bool down = std::string_view(verb) == "down";
    for (const std::string& name : order) {
        if (!services.empty() && std::find(services.begin(), services.end(), name) == services.end()) continue;
        const std::string id = "Provider " + name;
        events.on_event({Event::Status::working, id, down ? "Removing" : "Stopping", {}, 0, 0});
        try {
            Call(project, project.services.at(name), verb, events).run();
            events.on_event({Event::Status::done, id, down ? "Removed" : "Stopped", {}, 0, 0});
        } catch (const Error& error) {
            events.on_event({Event::Status::warning, id, error.what(), {}, 0, 0});
        }
    }
}

}  // namespace compose::engine
