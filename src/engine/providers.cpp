#include "engine/providers.hpp"

#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/host_program.hpp"
#include "sys/command.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{4} << 20U;
constexpr std::size_t kLongestQuote = 80;

/// What the program says of itself.
struct Metadata {
    struct Verb {
        std::set<std::string> known, required;
    };
    bool said = false;
    Verb up, down;
    std::optional<Verb> stop;
};

Metadata::Verb verb_of(const json::value& value) {
    Metadata::Verb out;
    if (!value.is_object()) return out;
    const json::value* parameters = value.get_object().if_contains("parameters");
    if (parameters == nullptr || !parameters->is_array()) return out;
    for (const json::value& one : parameters->get_array()) {
        if (!one.is_object()) continue;
        const std::string name = string_or(one.get_object(), "name");
        out.known.insert(name);
        if (bool_or(one.get_object(), "required", false)) out.required.insert(name);
    }
    return out;
}

Metadata metadata_of(const std::string& program, const std::string& folder) {
    sys::Command command;
    command.argv = {program, "compose", "metadata"};
    command.working_dir = folder;
    command.output_limit = kLongestAnswer;
    Metadata out;
    try {
        const sys::CommandResult result = sys::run_command(command);
        const json::value said = result.ok() ? parse_json(result.out) : json::value{};
        if (!said.is_object()) return out;
        const auto verb = [&](const char* name) { return said.get_object().if_contains(name); };
        if (verb("up") != nullptr) out.up = verb_of(*verb("up"));
        if (verb("down") != nullptr) out.down = verb_of(*verb("down"));
        if (verb("stop") != nullptr && verb("stop")->is_object()) out.stop = verb_of(*verb("stop"));
        out.said =
            !string_or(said.get_object(), "description").empty() || !out.up.known.empty() || !out.down.known.empty();
    } catch (const Error&) {  // a program without metadata says anything, or nothing
    }
    return out;
}

/// One call of the program.
class Call {
public:
    Call(const Project& project, const Service& service, EventSink& events)
        : project_(project), service_(service), id_("Provider " + service.name), events_(events) {
        command_.argv = {find_provider(service.provider->type, project.working_dir)};
        if (command_.argv[0].empty())
            fail("there is no program " + quote(service.provider->type), "install it somewhere in PATH");
        metadata_ = metadata_of(command_.argv[0], project.working_dir);
    }

    [[nodiscard]] bool can_stop() const { return metadata_.stop.has_value(); }

    ProviderAnswer run(const char* verb, const Metadata::Verb& options) {
        command_.argv.insert(command_.argv.end(), {"compose", "--project-name=" + project_.name, verb});
        const auto& given = service_.provider->options;
        for (const std::string& name : options.required)
            if (metadata_.said && !given.contains(name))
                fail("its program needs the option " + quote(name), "add it to options");
        for (const auto& [name, values] : given)
            if (!metadata_.said || options.known.contains(name))
                for (const std::string& value : values) command_.argv.push_back("--" + name + "=" + value);
        command_.argv.push_back(service_.name);
        command_.working_dir = project_.working_dir;
        command_.output_limit = kLongestAnswer;
        // For those that ask for it ("get-service-config"): it lies in the pipe before they do.
        command_.input = service_.definition + "\n";
        std::string rest;
        command_.on_output = [&](std::string_view chunk) {
            rest += chunk;
            for (std::size_t end = 0; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
                hear(rest.substr(0, end));
            if (rest.size() <= kLongestAnswer) return;
            failure_ = "it said a line without an end";
            rest.clear();
        };
        const sys::CommandResult result = sys::run_command(command_);
        hear(rest);
        if (!failure_.empty()) fail(failure_);
        if (result.ok()) return std::move(answer_);
        const std::string said = printable(std::string(trim(result.err)));
        fail(fmt::format("{} failed with exit code {}{}", quote(service_.provider->type), result.exit_code,
                         said.empty() ? "" : ": " + said));
    }

    [[nodiscard]] const Metadata& metadata() const { return metadata_; }

private:
    [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const {
        throw ProjectError(
            {{Severity::error, service_.provider->pos, "services." + service_.name + ".provider", message, hint}});
    }

    void hear(const std::string& text) {
        const std::string line(trim(text));
        if (line.empty() || !failure_.empty()) return;
        json::object message;
        try {
            const auto value = parse_json(line);
            if (!value.is_object()) throw make_error("no object");
            message = value.as_object();
        } catch (const Error&) {
            failure_ = fmt::format("{} said {}, which is not a line of its protocol", quote(service_.provider->type),
                                   quote(printable(line).substr(0, kLongestQuote)));
            return;
        }
        const std::string type = string_or(message, "type");
        const std::string said = string_or(message, "message");
        if (type == "error") {
            failure_ = said.empty() ? "it failed, and does not say why" : printable(said);
        } else if (type == "info") {
            events_.on_event({Event::Status::working, id_, printable(said), {}, 0, 0});
        } else if (type == "setenv" || type == "rawsetenv") {
            set(type == "setenv", said);
        }  // debug, and what later versions say
    }

    void set(bool prefixed, const std::string& said) {
        const auto equals = said.find('=');
        if (equals == std::string::npos || equals == 0 || said.find('\0') != std::string::npos) {
            failure_ = fmt::format("{} set {}, which is not NAME=VALUE", quote(service_.provider->type),
                                   quote(printable(said).substr(0, kLongestQuote)));
            return;
        }
        const std::string name = said.substr(0, equals), value = said.substr(equals + 1);
        if (prefixed)
            answer_.prefixed[variable_stem(service_.name + "_") + name] = value;
        else
            answer_.raw[name] = value;
    }

    const Project& project_;
    const Service& service_;
    std::string id_;
    EventSink& events_;
    sys::Command command_;
    Metadata metadata_;
    std::string failure_;
    ProviderAnswer answer_;
};

}  // namespace

ProviderAnswer run_provider(const Project& project, const Service& service, EventSink& events) {
    Call call(project, service, events);
    ProviderAnswer answer = call.run("up", call.metadata().up);
    for (const auto& [name, dependent] : project.services)
        for (const Dependency& dependency : dependent.depends_on) {
            if (dependency.service != service.name) continue;
            for (const auto& [variable, value] : answer.raw)
                if (const auto own = dependent.environment.find(variable);
                    own != dependent.environment.end() && own->second != value)
                    events.on_event({Event::Status::warning,
                                     "Provider " + service.name,
                                     fmt::format("overrides {} of service {}", variable, quote(name)),
                                     {},
                                     0,
                                     0});
        }
    return answer;
}

bool end_provider(const Project& project, const Service& service, EndProvider::Verb verb, EventSink& events) {
    Call call(project, service, events);
    if (verb == EndProvider::Verb::down) {
        (void)call.run("down", call.metadata().down);
        return true;
    }
    if (!call.can_stop()) return false;
    (void)call.run("stop", *call.metadata().stop);
    return true;
}

void check_programs(const Project& project, const Plan& plan, std::vector<Diagnostic>& findings) {
    for (const Plan::Node& node : plan.nodes) {
        if (const auto* provider = std::get_if<RunProvider>(&node.action)) {
            const Provider& needed = *project.services.at(provider->service).provider;
            if (!find_provider(needed.type, project.working_dir).empty()) continue;
            findings.push_back({Severity::error, needed.pos, "services." + provider->service + ".provider",
                                "there is no program " + quote(needed.type), "install it somewhere in PATH"});
        } else if (const auto* model = std::get_if<PrepareModel>(&node.action)) {
            if (!find_plugin("model").empty()) continue;
            findings.push_back({Severity::error, project.models.at(model->key).pos, "models." + model->key,
                                "there is no program \"docker-model\", which fetches and serves models",
                                "install Docker Model Runner's plugin, in PATH or in /usr/libexec/docker/cli-plugins"});
        }
    }
}

}  // namespace compose::engine
