// Dockerfiles: whatever the text, the result is steps or findings; a file that is planned without an error can be
// evaluated, and what is found can be shown.
#include "build/dockerfile.hpp"

#include "base/error.hpp"
#include "build/checks.hpp"
#include "build/evaluator.hpp"
#include "build/stages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    Diagnostics findings;
    const auto index = findings.sources.add("Dockerfile", std::string(reinterpret_cast<const char*>(data), size));
    auto file = build::parse_dockerfile(index, findings);
    const auto instructions = file.instructions;
    const auto planned = build::plan_stages(std::move(file), {}, findings);
    build::lint(planned, instructions, build::DockerIgnore(), findings);
    for (const auto& stage : planned.stages) {
        for (const auto need : build::needed_stages(planned, stage.index))
            if (need > stage.index) __builtin_trap();
        if (findings.has_errors()) continue;
        build::StageEvaluator evaluator(planned.file.escape, planned.globals, {}, {});
        try {
            for (const auto& one : stage.instructions) (void)evaluator.evaluate(one, findings);
        } catch (const Error&) {
        }
    }
    for (const auto& finding : findings.sorted()) (void)render(finding, findings.sources, true);
    return 0;
}
