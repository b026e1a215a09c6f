// Explanations as text for people and as JSON for tools, and what findings say of merged values.
#include <compose/explain.hpp>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "loader/units_bind.hpp"
#include "model/node.hpp"

namespace compose {

namespace {

std::string place(const SourceMap& sources, SourcePos pos) {
    return fmt::format("{}:{}:{}", sources.name(pos.file), pos.line, pos.column);
}

/// One line, whatever the value holds.
std::string one_line(const std::string& text) {
    const bool plain = !text.empty() && text.find_first_of("\n\r\t\x1b") == std::string::npos && text.front() != ' ' &&
                       text.back() != ' ' && quote(text).size() == text.size() + 2;
    return plain ? text : quote(text);
}

std::string heading(const ExplainStep& step, const SourceMap& sources) {
    if (step.kind == "default") return "filled in, since no file says it";
    if (step.kind == "environment") return "a key without a value takes it from the environment";
    if (step.kind == "name") return "taken from " + step.note;
    if (step.kind == "path") return "made absolute";
    return place(sources, step.pos);
}

void render_steps(const Explanation& explanation, const SourceMap& sources, std::string& out) {
    for (const auto& step : explanation.steps) {
        out += fmt::format("  {}: ", heading(step, sources));
        if (!step.text.empty()) out += one_line(step.text) + " gives ";
        out += one_line(step.value);
        if (step.kind == "override" || step.kind == "env_file") out += fmt::format(" ({})", step.kind);
        out += "\n";
        if (!step.note.empty() && step.kind != "name") out += "      " + step.note + "\n";
        for (const auto& variable : step.variables) {
            out += "      " + variable.name;
            if (variable.value) out += fmt::format(" is {}: from", one_line(*variable.value));
            out += (variable.value ? " " : " is ") + variable.from + "\n";
        }
    }
}

void render_leaves(const Explanation& explanation, const SourceMap& sources, std::string& out) {
    for (const auto& child : explanation.children) {
        if (!child.scalar) {
            if (child.children.empty()) out += fmt::format("{}: {}\n", child.path, trim(child.value));
            render_leaves(child, sources, out);
            continue;
        }
        out += fmt::format("{}: {}\n", child.path, one_line(child.value));
        render_steps(child, sources, out);
    }
}

json::object to_json(const Explanation& explanation, const SourceMap& sources) {
    json::object out{{"path", explanation.path}, {"value", explanation.value}};
    json::array steps;
    for (const auto& step : explanation.steps) {
        json::object item{{"kind", step.kind}, {"value", step.value}};
        if (step.pos.known()) {
            item["file"] = sources.name(step.pos.file);
            item["line"] = step.pos.line;
            item["column"] = step.pos.column;
        }
        if (!step.text.empty()) item["text"] = step.text;
        if (!step.note.empty()) item["note"] = step.note;
        json::array variables;
        for (const auto& variable : step.variables) {
            json::object one{{"name", variable.name}, {"from", variable.from}};
            if (variable.value) one["value"] = *variable.value;
            variables.push_back(std::move(one));
        }
        if (!variables.empty()) item["variables"] = std::move(variables);
        steps.push_back(std::move(item));
    }
    if (explanation.scalar) out["steps"] = std::move(steps);
    json::array children;
    for (const auto& child : explanation.children) children.push_back(to_json(child, sources));
    if (!children.empty()) out["children"] = std::move(children);
    return out;
}

using Notes = std::multimap<SourcePos, std::string>;

void collect_notes(const Node& node, const SourceMap& sources, Notes& notes) {
    if (node.past && node.pos.known()) {
        for (const auto& old : *node.past) {
            if (!old->pos.known()) continue;
            notes.emplace(node.pos, "it overrides " + place(sources, old->pos));
            notes.emplace(old->pos, "overridden at " + place(sources, node.pos));
        }
    }
    for (const auto& entry : node.entries) collect_notes(entry.value, sources, notes);
    for (const auto& item : node.items) collect_notes(item, sources, notes);
}

}  // namespace

std::string render_explanation(const Explanation& explanation, const SourceMap& sources) {
    std::string out;
    if (explanation.scalar) {
        out = fmt::format("{}: {}\n", explanation.path, one_line(explanation.value));
        render_steps(explanation, sources, out);
    } else if (explanation.children.empty()) {
        out = fmt::format("{}: {}\n", explanation.path, trim(explanation.value));
    } else {
        render_leaves(explanation, sources, out);
    }
    return out;
}

std::string render_explanation_json(const Explanation& explanation, const SourceMap& sources) {
    return json::serialize(to_json(explanation, sources)) + "\n";
}

void name_overrides(std::vector<Diagnostic>& findings, const LoadedProject& loaded, const SourceMap& sources) {
    if (findings.empty() || !loaded.tree) return;
    Notes notes;
    collect_notes(loaded.tree->root, sources, notes);
    if (notes.empty()) return;
    for (auto& finding : findings) {
        const auto note = notes.find(finding.pos);
        if (note == notes.end()) continue;
        finding.message += fmt::format(" ({})", note->second);
    }
}

}  // namespace compose
