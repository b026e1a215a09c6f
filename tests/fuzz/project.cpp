// The whole pipeline, over up to three files (compose.yaml, compose.override.yaml, .env, divided by lines of %%%%):
// what loads is printed, loads again and prints the same.
#include <compose/config.hpp>
#include <compose/explain.hpp>

#include "base/error.hpp"
#include "fuzz/support.hpp"

namespace {

using namespace compose;

constexpr std::string_view kDivider = "\n%%%%\n";

void explain_all(const LoadedProject& loaded, const Diagnostics& findings) {
    for (const char* path : {"services", "networks", "volumes", "name"}) {
        try {
            (void)render_explanation(explain(loaded, findings.sources, path), findings.sources);
        } catch (const Error&) {
            // there is none
        }
    }
}

std::string model_of(const std::string& text) {
    MemoryFiles files({{"/p/compose.yaml", text}});
    Diagnostics findings;
    const auto loaded = load_project(fuzz::request(), files, findings);
    if (findings.has_errors()) fuzz::broken("what is printed loads again", text, text_of(findings));
    return render_config(loaded, ConfigFormat::yaml);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string rest(reinterpret_cast<const char*>(data), size);
    MemoryFiles files;
    for (const char* name : {"/p/compose.yaml", "/p/compose.override.yaml", "/p/.env"}) {
        const auto end = rest.find(kDivider);
        files.add(name, rest.substr(0, end));
        if (end == std::string::npos) break;
        rest.erase(0, end + kDivider.size());
    }
    Diagnostics findings;
    auto request = fuzz::request();
    request.trace = true;
    const auto loaded = load_project(request, files, findings);
    auto shown = findings.sorted();
    name_overrides(shown, loaded, findings.sources);
    for (const auto& finding : shown) (void)render(finding, findings.sources, true);
    if (findings.has_errors()) return 0;
    explain_all(loaded, findings);
    const auto once = render_config(loaded, ConfigFormat::yaml);
    const auto twice = model_of(once);
    if (once != twice) fuzz::broken("the output fed back gives the same output", once, twice);
    check_supported(loaded, findings);
    return 0;
}
