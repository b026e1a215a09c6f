// The pipeline: one line a stage.
#include <compose/load.hpp>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/compose_file.hpp"
#include "loader/discovery.hpp"
#include "loader/dotenv.hpp"
#include "loader/environment_files.hpp"
#include "loader/include.hpp"
#include "loader/interpolate.hpp"
#include "loader/project_name.hpp"
#include "loader/selection.hpp"
#include "loader/source_files.hpp"
#include "loader/stages.hpp"
#include "model/node.hpp"

namespace compose {

namespace {

std::string variable(const Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
}

std::vector<RawFile> read_files(LoadSession& session, const std::vector<std::string>& paths) {
    std::vector<RawFile> out;
    for (const auto& path : paths)
        if (auto file = read_compose_file(session, path, {})) out.push_back(std::move(*file));
    return out;
}

/// Puts the copies of what lay elsewhere in the places of their addresses.
void settle(ProjectPlace& place, const std::vector<RawFile>& files) {
    place.config_files.clear();
    for (const auto& file : files) place.config_files.push_back(file.path);
    if (place.folder.empty()) place.folder = parent_folder(files.front().path);
}

/// The `name` that the last file sets.
const Node* name_in_files(const std::vector<RawFile>& files) {
    const Node* found = nullptr;
    for (const auto& file : files)
        for (const auto& document : file.documents)
            if (const auto* name = document.find("name"); name != nullptr && name->is_string()) found = name;
    return found;
}

/// What -p, COMPOSE_PROJECT_NAME, `name` in a file, or the folder gives, in this order; empty after a reported mistake.
std::string choose_name(LoadSession& session, const ProjectPlace& place, const std::vector<RawFile>& files) {
    const auto check = [&](std::string name, SourcePos pos, const char* path) {
        if (is_project_name(name)) return name;
        session.findings.error(pos, path, project_name_complaint(name), project_name_hint(name));
        return std::string{};
    };
    const auto note = [&](const char* from) {
        if (session.trace != nullptr) session.trace->name_from = from;
    };
    note("--project-name");
    if (session.request.project_name && !session.request.project_name->empty())
        return check(*session.request.project_name, {}, "");
    note("the variable COMPOSE_PROJECT_NAME");
    if (auto name = variable(place.environment, "COMPOSE_PROJECT_NAME"); !name.empty())
        return check(std::move(name), {}, "");
    note("");
    if (const auto* node = name_in_files(files)) {
        if (!session.request.interpolate && node->text.find('$') != std::string::npos) return node->text;
        auto name = interpolate_text(*node, "name", place.environment, session.interpolation, session.findings);
        if (!name) return {};
        if (!name->empty()) return check(std::move(*name), node->pos, "name");
    }
    note("the name of the project's folder");
    auto name = project_name_from(std::filesystem::path(place.naming_folder).filename().string());
    return name.empty() ? check(std::move(name), {}, "") : name;
}

std::vector<std::string> active_profiles(const LoadRequest& request, const Environment& environment) {
    if (!request.profiles.empty()) return request.profiles;
    std::vector<std::string> out;
    for (const auto& name : split(variable(environment, "COMPOSE_PROFILES"), ','))
        if (const auto text = trim(name); !text.empty()) out.emplace_back(text);
    return out;
}

void set_name(Node& root, const std::string& name) {
    auto& node = root.at_or_insert("name", root.pos);
    const auto pos = node.pos;
    node = Node::make_string(name, pos);
}

/// "services.web" and the like of every error; nothing when one of them is not about such a part, so that something
/// else may be missing and references to it would look wrong.
std::optional<std::set<std::string>> faulty_parts(const Diagnostics& findings) {
    std::set<std::string> out;
    for (const auto& finding : findings.sorted()) {
        if (finding.severity != Severity::error) continue;
        const auto dot = finding.path.find('.');
        if (dot == std::string::npos) return std::nullopt;
        out.insert(finding.path.substr(0, finding.path.find_first_of(".[", dot + 1)));
    }
    return out;
}

/// Those of the active services whose env files are read: one of a service that nobody asked for may be missing.
std::set<std::string> asked_for(const Node& root, const LoadRequest& request, const std::set<std::string>& active) {
    if (request.selected_services.empty()) return active;
    std::set<std::string> out = with_dependencies(root, request.selected_services);
    std::erase_if(out, [&](const std::string& name) { return !active.contains(name); });
    return out;
}

/// What `config` prints is without the services that were not asked for; the project still has them.
void keep_selected(Node& root, const LoadRequest& request) {
    if (request.selected_services.empty()) return;
    (void)split_services(root, with_dependencies(root, request.selected_services));
    if (!request.all_resources) remove_unused_resources(root);
}

/// What an optional dependency says about a service that is not there.
void drop_absent_dependencies(Project& project) {
    for (auto& [name, service] : project.services)
        std::erase_if(service.depends_on,
                      [&](const auto& need) { return !need.required && !project.services.contains(need.service); });
}

/// Which variables and labels come from files, by where their values stand.
void note_value_files(Project& project, const Node& root, const std::vector<std::uint32_t>& env_files,
                      const SourceMap& sources) {
    const auto* services = root.find("services");
    if (services == nullptr || env_files.empty()) return;
    for (const auto& service : services->entries)
        for (const char* group : {"environment", "labels"}) {
            const auto* values = service.value.find(group);
            if (values == nullptr || !values->is_mapping()) continue;
            for (const auto& entry : values->entries)
                if (std::find(env_files.begin(), env_files.end(), entry.key_pos.file) != env_files.end())
                    project.services.at(service.key).value_files[std::string(group) + "." + entry.key] =
                        sources.name(entry.key_pos.file);
        }
}

Project bind(const Node& root, Node disabled, const ProjectPlace& place, bool hashes, Diagnostics& findings) {
    auto project = bind_project(root, place.environment, hashes, findings);
    if (!disabled.entries.empty()) {
        Node others = Node::make_mapping({});
        others.entries.push_back({"name", {}, Node::make_string(project.name, {})});
        others.entries.push_back({"services", {}, std::move(disabled)});
        project.disabled_services = std::move(bind_project(others, place.environment, hashes, findings).services);
    }
    drop_absent_dependencies(project);
    project.working_dir = place.folder;
    project.config_files = place.config_files;
    project.environment_files = place.environment_files;
    return project;
}

/// Without expansion a model can be printed, but neither selected from nor run: names and paths are expressions still.
LoadedProject as_written(Node root, ProjectPlace place, const LoadRequest& request, Diagnostics& findings) {
    if (request.normalize) normalize(root, variable(place.environment, "COMPOSE_PROJECT_NAME"), findings);
    auto tree = std::make_shared<ConfigTree>();
    tree->root = std::move(root);
    LoadedProject out;
    out.tree = std::move(tree);
    out.environment = std::move(place.environment);
    return out;
}

/// Where the variables of expressions have their values from. Reads the files again: nobody asks but explain().
void note_variables(Trace& trace, const LoadRequest& request, const SourceFiles& files, Diagnostics& findings) {
    trace.shell = request.environment;
    for (const auto file : files.env_files())
        for (auto& entry : parse_dotenv(file, request.environment, {}, findings))
            if (entry.value) trace.dotenv[entry.key].push_back({std::move(*entry.value), entry.pos});
}

}  // namespace

LoadedProject load_project(const LoadRequest& request, FileSource& source, Diagnostics& findings) {
    LoadedProject out;
    SourceFiles files(source, request.working_directory, findings);
    const auto trace = request.trace ? std::make_shared<Trace>() : nullptr;
    LoadSession session{request, files, findings, trace.get()};

    auto place = locate_project(request, files, findings);
    session.home = variable(place.environment, "HOME");
    auto raw = read_files(session, place.config_files);
    const auto name = choose_name(session, place, raw);
    if (raw.empty() || (findings.has_errors() && raw.size() != place.config_files.size())) return out;
    settle(place, raw);
    place.environment["COMPOSE_PROJECT_NAME"] = name;

    auto root = load_model(session, std::move(raw), place.folder, place.environment);
    set_name(root, name);
    const bool readable = !findings.has_errors();
    if (trace) note_variables(*trace, request, files, findings);
    if (trace) trace->merged = root;
    set_defaults(root, findings);
    if (request.resolve_paths) resolve_paths(root, place.folder, session.home);
    if (trace) trace->defaulted = root;
    if (!request.interpolate) return as_written(std::move(root), std::move(place), request, findings);
    const auto active = active_services(root, request, active_profiles(request, place.environment), findings);
    if (request.resolve_environment)
        resolve_environment(session, root, asked_for(root, request, active), place.environment, place.folder);
    if (trace) trace->resolved = root;
    if (request.normalize) normalize(root, name, findings);
    auto disabled = split_services(root, active);
    if (request.consistency && readable)
        check_consistency(root, findings, &disabled);
    else if (const auto faulty = faulty_parts(findings); request.consistency && faulty)
        check_consistency(root, findings, &disabled, *faulty);
    if (!request.all_resources) remove_unused_resources(root);
    if (readable) {
        out.project = bind(root, std::move(disabled), place, request.hashes, findings);
        // They are told when a container that runs is compared, as hashes are.
        if (request.hashes && !findings.has_errors())
            note_value_files(out.project, root, files.env_files(), findings.sources);
    }
    auto tree = std::make_shared<ConfigTree>();
    tree->root = std::move(root);
    keep_selected(tree->root, request);
    out.tree = std::move(tree);
    out.environment = std::move(place.environment);
    out.trace = trace;
    return out;
}

std::map<std::string, std::string> find_environment(const LoadRequest& request, FileSource& source) {
    Diagnostics findings;  // who loads the project hears of them
    SourceFiles files(source, request.working_directory, findings);
    return locate_project(request, files, findings).environment;
}

std::optional<std::string> find_project_name(const LoadRequest& request, FileSource& source) {
    Diagnostics findings;  // only the name is asked for: what else is wrong does not matter here
    SourceFiles files(source, request.working_directory, findings);
    LoadSession session{request, files, findings};
    if (request.project_name && is_project_name(*request.project_name)) return request.project_name;
    const auto place = locate_project(request, files, findings);
    const auto from_environment = variable(place.environment, "COMPOSE_PROJECT_NAME");
    if (place.config_files.empty() && from_environment.empty()) return std::nullopt;
    auto name = choose_name(session, place, read_files(session, place.config_files));
    return name.empty() ? std::nullopt : std::optional(std::move(name));
}

}  // namespace compose
