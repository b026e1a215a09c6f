// `compose config -q` of the loader alone, so that the corpus can run under the sanitizers without building every
// layer: load_probe [-f FILE] [-p NAME] config -q
#include <compose/explain.hpp>
#include <compose/load.hpp>
#include <compose/local_files.hpp>
#include <cstdio>
#include <string>

#include "sys/env.hpp"
#include "sys/file.hpp"

int main(int count, char** words) {
    using namespace compose;
    LoadRequest request;
    request.environment = sys::environment_snapshot();
    request.working_directory = sys::current_directory();
    for (int i = 1; i + 1 < count; ++i) {
        const std::string word = words[i];
        if (word == "-f") request.files.emplace_back(words[++i]);
        if (word == "-p") request.project_name = words[++i];
    }
    const auto files = make_local_files();
    Diagnostics findings;
    const auto loaded = load_project(request, *files, findings);
    auto shown = findings.sorted();
    name_overrides(shown, loaded, findings.sources);
    for (const auto& finding : shown) std::fprintf(stderr, "%s\n", render(finding, findings.sources, false).c_str());
    return findings.has_errors() ? 1 : 0;
}
