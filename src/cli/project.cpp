#include "cli/project.hpp"

#include <compose/config.hpp>
#include <compose/explain.hpp>
#include <compose/objects.hpp>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/docker_settings.hpp"
#include "cli/output.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

json::object to_json(const Diagnostic& finding, const SourceMap& sources) {
    const bool is_error = finding.severity == Severity::error;
    json::object out{{is_error ? "error" : "warning", true}, {"message", finding.message}};
    if (finding.pos.known())
        out["at"] = fmt::format("{}:{}:{}", sources.name(finding.pos.file), finding.pos.line, finding.pos.column);
    if (finding.pos.file != 0) out["file"] = sources.name(finding.pos.file);
    if (finding.pos.known()) {
        out["line"] = finding.pos.line;
        out["column"] = finding.pos.column;
    }
    if (!finding.path.empty()) out["path"] = finding.path;
    if (!finding.hint.empty()) out["hint"] = finding.hint;
    return out;
}

std::vector<std::string> service_names(const Project& project) {
    std::vector<std::string> names;
    for (const auto& [name, service] : project.services) names.push_back(name);
    for (const auto& [name, service] : project.disabled_services) names.push_back(name);
    return names;
}

std::vector<Diagnostic> sorted_findings(const Diagnostics& findings, const LoadedProject& loaded) {
    auto out = findings.sorted();
    name_overrides(out, loaded, findings.sources);
    return out;
}

}  // namespace

LoadRequest make_load_request(const Context& context) {
    LoadRequest request;
    request.files = context.globals.files;
    request.project_name = context.globals.project_name;
    request.project_directory = context.globals.project_directory;
    request.env_files = context.globals.env_files;
    request.profiles = context.globals.profiles;
    request.environment = context.environment;
    request.working_directory = sys::current_directory();
    request.all_resources = context.globals.all_resources;
    return request;
}

void print_findings(const Context& context, const std::vector<Diagnostic>& findings, const SourceMap& sources,
                    bool as_json) {
    as_json = as_json || context.progress_mode == ProgressMode::json;
    std::string out;
    for (const auto& finding : findings)
        out += as_json ? json::serialize(to_json(finding, sources)) + "\n"
                       : render(finding, sources, context.color_err) + "\n";
    print_error(out);
}

LoadedProject load(Context& context, const LoadRequest& request, Diagnostics& findings, bool as_json) {
    auto loaded = load_project(request, context.files(), findings);
    print_findings(context, sorted_findings(findings, loaded), findings.sources, as_json);
    if (findings.has_errors()) throw Exit{1};
    return loaded;
}

LoadedProject load_for_running(Context& context, const std::vector<std::string>& services, Diagnostics& findings) {
    auto request = make_load_request(context);
    request.selected_services = services;
    auto loaded = load_project(request, context.files(), findings);
    if (context.globals.compatibility || context.variable_is_true("COMPOSE_COMPATIBILITY"))
        loaded.project.separator = "_";
    const std::map<std::string, std::string> environment{context.environment.begin(), context.environment.end()};
    if (!findings.has_errors()) check_supported(loaded, findings, host_support(environment));
    print_findings(context, sorted_findings(findings, loaded), findings.sources);
    if (findings.has_errors()) throw Exit{1};
    for (const auto& name : services)
        if (!loaded.project.services.contains(name)) no_such_service(name, service_names(loaded.project));
    give_api_socket(loaded.project, environment);
    give_proxies(loaded.project, proxy_settings(context));
    return loaded;
}

std::string project_name(Context& context) {
    for (const auto& file : context.globals.files)
        if (file != "-" && !is_remote_file(file) && !sys::exists(file))
            throw make_error(ErrorKind::not_found, "Compose file {} not found", file);
    const auto name = find_project_name(make_load_request(context), context.files());
    if (name) return *name;
    throw make_error(ErrorKind::not_found, "no compose.yaml in this folder or above")
        .with_hint("give the file with -f FILE, or the project's name with -p NAME");
}

void no_such_service(const std::string& name, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    const auto near = nearest(name, views);
    std::string hint;
    if (!near.empty())
        hint = fmt::format("did you mean {}?", near);
    else if (!known.empty() && known.size() <= 12)
        hint = "the services are " + join(known, ", ");
    throw make_error(ErrorKind::not_found, "no such service: {}", name).with_hint(hint);
}

std::vector<ContainerView> containers_of(Context& context, const std::string& project,
                                         const std::vector<std::string>& services, bool oneoffs) {
    auto views = context.engine().containers(project);
    std::set<std::string> existing;
    for (const auto& view : views) existing.insert(view.service);
    const std::set<std::string> wanted(services.begin(), services.end());
    for (const auto& name : wanted) {
        if (existing.contains(name)) continue;
        // The file is only read when the state does not know the name: it may be a service without containers.
        Diagnostics findings;
        const auto loaded = load_project(make_load_request(context), context.files(), findings);
        auto known = service_names(loaded.project);
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        if (known.empty()) known.assign(existing.begin(), existing.end());
        no_such_service(name, known);
    }
    std::erase_if(views, [&](const ContainerView& view) {
        return (view.oneoff && !oneoffs) || (!wanted.empty() && !wanted.contains(view.service));
    });
    return views;
}

void check_pull_flag(const std::string& value) {
    static constexpr std::array<std::string_view, 6> kValues{"",      "always", "missing", "if_not_present",
                                                             "never", "build"};
    if (std::find(kValues.begin(), kValues.end(), value) == kValues.end())
        throw make_error(ErrorKind::usage, "invalid value {} for --pull", quote(value))
            .with_hint("use always, missing, never or build");
}

}  // namespace compose::cli
