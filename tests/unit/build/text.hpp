// A Dockerfile as a test writes it, and what was found in it.
#pragma once

#include <string>

#include "build/dockerfile.hpp"
#include "build/stages.hpp"

namespace compose::build::test {

struct Parsed {
    Diagnostics findings;
    Dockerfile file;
    explicit Parsed(const std::string& text)
        : file(parse_dockerfile(findings.sources.add("Dockerfile", text), findings)) {}
    [[nodiscard]] std::string errors() const { return lines(Severity::error); }
    [[nodiscard]] std::string warnings() const { return lines(Severity::warning); }

private:
    [[nodiscard]] std::string lines(Severity severity) const {
        std::string out;
        for (const auto& finding : findings.sorted())
            if (finding.severity == severity)
                out += std::to_string(finding.pos.line) + ":" + std::to_string(finding.pos.column) + ": " +
                       finding.message + "\n";
        return out;
    }
};

/// The findings of a Dockerfile that was planned, too.
inline std::string plan_errors(const std::string& text, StageOptions options = {}) {
    Parsed parsed(text);
    if (!parsed.findings.has_errors()) static_cast<void>(plan_stages(parsed.file, options, parsed.findings));
    return parsed.errors();
}

}  // namespace compose::build::test
