// Where a value came from: `compose config --explain`. Pure functions of a project that was loaded with
// LoadRequest::trace on.
#pragma once

#include <compose/load.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace compose {

/// One value on the way to the final one.
struct ExplainStep {
    struct Variable {
        std::string name;
        std::optional<std::string> value;
        std::string from;  // "the environment", ".env:3:1", "not set", ...
    };
    std::string kind;  // file, override, extends, include, env_file, environment, path, default
    SourcePos pos;
    std::string value;
    std::string text;  // with the expressions as written; empty when there are none
    std::vector<Variable> variables;
    std::string note;  // "services.web extends base at compose.yaml:5:7"
};

struct Explanation {
    std::string path;   // "services.web.environment.LOG_LEVEL"
    std::string value;  // a scalar as text, all else as YAML
    bool scalar = true;
    std::vector<ExplainStep> steps;     // oldest first
    std::vector<Explanation> children;  // of a list or mapping: every scalar below
};

/// `path` is as findings have it: services.web.ports[0].published; "services." may be left out. Throws Error(not_found)
/// that says how far the path goes and what is there.
[[nodiscard]] Explanation explain(const LoadedProject& loaded, const SourceMap& sources, std::string_view path);
[[nodiscard]] std::string render_explanation(const Explanation& explanation, const SourceMap& sources);
[[nodiscard]] std::string render_explanation_json(const Explanation& explanation, const SourceMap& sources);

/// Adds to each finding about a value that several files give what it replaced, or what replaced it.
void name_overrides(std::vector<Diagnostic>& findings, const LoadedProject& loaded, const SourceMap& sources);

}  // namespace compose
