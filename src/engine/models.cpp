#include "engine/models.hpp"

#include <algorithm>
#include <compose/plan.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/host_program.hpp"
#include "sys/command.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{4} << 20U;

class Plugin {
public:
    explicit Plugin(const Model& model) : model_(model), program_(find_plugin("model")) {
        if (program_.empty()) fail("there is no program \"docker-model\", which fetches and serves models");
    }

    std::string run(std::vector<std::string> words) {
        const std::string verb = words.front();
        words.insert(words.begin(), program_);
        sys::Command command;
        command.argv = std::move(words);
        command.output_limit = kLongestAnswer;
        const sys::CommandResult result = sys::run_command(command);
        if (result.ok()) return result.out;
        std::string said = printable(std::string(trim(result.err)));
        if (said.empty()) said = printable(std::string(trim(result.out)));
        fail(fmt::format("docker-model {} failed with exit code {}{}", verb, result.exit_code,
                         said.empty() ? "" : ": " + said));
    }

    json::value ask(const char* verb) {
        const std::string said = run({verb, "--json"});
        try {
            return parse_json(said);
        } catch (const Error&) {
            fail(fmt::format("docker-model {} --json said what is no JSON", verb));
        }
    }

    [[noreturn]] void fail(const std::string& message) const {
        throw ProjectError({{Severity::error, model_.pos, "models." + model_.key, message, {}}});
    }

private:
    const Model& model_;
    std::string program_;
};

bool is_listed(const json::value& list, const std::string& model) {
    if (!list.is_array()) return false;
    const auto named = [&](const json::value& one) {
        const json::value* tags = one.is_object() ? one.get_object().if_contains("tags") : nullptr;
        return tags != nullptr && tags->is_array() &&
               std::any_of(tags->get_array().begin(), tags->get_array().end(), [&](const json::value& tag) {
                   return tag.is_string() && std::string_view(tag.get_string()) == model;
               });
    };
    return std::any_of(list.get_array().begin(), list.get_array().end(), named);
}

}  // namespace

ModelAnswer prepare_model(const Model& model, EventSink& events) {
    const auto tell = [&](const char* text) {
        events.on_event({Event::Status::working, "Model " + model.key, text, {}, 0, 0});
    };
    Plugin plugin(model);
    if (!is_listed(plugin.ask("ls"), model.model)) {
        tell("Pulling");
        (void)plugin.run({"pull", model.model});
    }
    tell("Configuring");
    std::vector<std::string> words{"configure"};
    if (model.context_size) words.insert(words.end(), {"--context-size", std::to_string(*model.context_size)});
    words.push_back(model.model);
    if (!model.runtime_flags.empty()) words.emplace_back("--");
    words.insert(words.end(), model.runtime_flags.begin(), model.runtime_flags.end());
    (void)plugin.run(std::move(words));
    const json::value status = plugin.ask("status");
    const std::string endpoint = status.is_object() ? string_or(status.get_object(), "endpoint") : std::string{};
    if (endpoint.empty())
        plugin.fail("docker-model status does not say where models are served: is its runner running?");
    if (endpoint.find('\0') != std::string::npos) plugin.fail("docker-model status says an address that is none");
    return {model.model, endpoint};
}

}  // namespace compose::engine
