// Plans as text, and the error that planners throw.
#include <compose/plan.hpp>

#include <fmt/format.h>

#include "base/dag.hpp"
#include "base/strings.hpp"

namespace compose {
namespace {

struct Text {
    std::string operator()(const CreateNetwork& a) const { return "CreateNetwork " + a.name; }
    std::string operator()(const RemoveNetwork& a) const { return "RemoveNetwork " + a.name; }
    std::string operator()(const RecreateNetwork& a) const { return "RecreateNetwork " + a.name; }
    std::string operator()(const UpdateNetwork& a) const { return "UpdateNetwork " + a.name; }
    std::string operator()(const CreateVolume& a) const { return "CreateVolume " + a.name; }
    std::string operator()(const RemoveVolume& a) const { return "RemoveVolume " + a.name; }
    std::string operator()(const CreateContainer& a) const { return "CreateContainer " + a.name; }
    std::string operator()(const RenameContainer& a) const { return "RenameContainer " + a.container.name; }
    std::string operator()(const StartContainer& a) const { return "StartContainer " + a.container.name; }
    std::string operator()(const TakePorts& a) const { return "TakePorts " + a.container.name; }
    std::string operator()(const StopContainer& a) const { return "StopContainer " + a.container.name; }
    std::string operator()(const RestartContainer& a) const { return "RestartContainer " + a.container.name; }
    std::string operator()(const RemoveContainer& a) const { return "RemoveContainer " + a.container.name; }
    std::string operator()(const WaitContainer& a) const {
        constexpr const char* kVerbs[] = {"WaitHealthy ", "WaitCompleted ", "WaitReady "};
        return kVerbs[static_cast<std::size_t>(a.until)] + a.container.name;
    }
    std::string operator()(const RunProvider& a) const { return "RunProvider " + a.service; }
    std::string operator()(const EndProvider& a) const {
        return (a.verb == EndProvider::Verb::down ? "RemoveProvider " : "StopProvider ") + a.service;
    }
    std::string operator()(const PrepareModel& a) const { return "PrepareModel " + a.key; }
    std::string operator()(const CheckVariables& a) const { return "CheckVariables " + a.container.name; }
    std::string operator()(const Delay& a) const { return "Delay " + a.service; }
};

std::string details(const Action& action) {
    if (const auto* create = std::get_if<CreateContainer>(&action); create && !create->temporary_name.empty())
        return " as " + create->temporary_name;
    if (const auto* rename = std::get_if<RenameContainer>(&action)) return " from " + rename->from;
    if (const auto* wait = std::get_if<WaitContainer>(&action); wait && !wait->required) return " (optional)";
    if (std::holds_alternative<RunProvider>(action) || std::holds_alternative<PrepareModel>(action))
        return " (its variables are unknown until then)";
    if (const auto* remove = std::get_if<RemoveContainer>(&action))
        return std::string(remove->kill ? " by force" : "") + (remove->volumes ? " with volumes" : "");
    return {};
}

std::string first_message(const std::vector<Diagnostic>& findings) {
    if (findings.empty()) return "the project can't be brought up";
    const Diagnostic& first = findings.front();
    return first.path.empty() ? first.message : first.path + ": " + first.message;
}

}  // namespace

ProjectError::ProjectError(std::vector<Diagnostic> findings, ErrorKind kind)
    : Error(first_message(findings), kind), findings_(std::move(findings)) {
    if (!findings_.empty()) with_hint(findings_.front().hint);
}

std::string base_hash(const std::string& config_hash) {
    return config_hash.substr(0, config_hash.find('+'));
}

std::string to_string(const Action& action) {
    return std::visit(Text{}, action);
}

std::vector<std::string> to_text(const Plan& plan) {
    std::vector<std::vector<std::size_t>> edges;
    edges.reserve(plan.nodes.size());
    for (const Plan::Node& node : plan.nodes) edges.push_back(node.after);
    std::vector<std::string> lines;
    for (const std::size_t i : topological_order(edges).order) {
        const Plan::Node& node = plan.nodes[i];
        std::string line = to_string(node.action);
        if (!node.cause.empty()) line += " [" + node.cause + "]";
        line += details(node.action);
        std::vector<std::string> before;
        for (const std::size_t b : node.after) before.push_back(to_string(plan.nodes[b].action));
        if (!before.empty()) line += " after " + join(before, ", ");
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace compose
