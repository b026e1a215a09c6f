#include "cli/complete_values.hpp"

#include <algorithm>
#include <array>
#include <compose/containers.hpp>
#include <compose/local_files.hpp>
#include <compose/objects.hpp>
#include <functional>
#include <set>

#include "cli/context.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

/// The project as far as its file can be read, whatever else is wrong with it.
std::optional<LoadedProject> readable_project(Context& context) {
    try {
        auto request = make_load_request(context);
        request.consistency = request.resolve_environment = false;
        Diagnostics findings;
        const auto files = make_local_files();  // nothing is fetched for the sake of a word
        return load_project(request, *files, findings);
    } catch (const std::exception&) {  // nobody wants to read about it now
        return std::nullopt;
    }
}

/// Of the file and of what runs.
void add_services(Context& context, const char* suffix, Completions& out) {
    std::set<std::string> names;
    if (const auto loaded = readable_project(context))
        for (const auto* list : {&loaded->project.services, &loaded->project.disabled_services})
            for (const auto& [name, service] : *list) names.insert(name);
    try {
        const auto files = make_local_files();
        if (const auto name = find_project_name(make_load_request(context), *files))
            for (const auto& view : context.engine().containers(*name)) names.insert(view.service);
    } catch (const std::exception&) {
    }
    for (const auto& name : names) out.add(name + suffix);
}

void add_profiles(Context& context, Completions& out) {
    std::set<std::string> names;
    if (const auto loaded = readable_project(context))
        for (const auto* list : {&loaded->project.services, &loaded->project.disabled_services})
            for (const auto& [name, service] : *list) names.insert(service.profiles.begin(), service.profiles.end());
    for (const auto& name : names) out.add(name);
}

bool has(const Arguments::OptionInfo& option, const char* name) {
    return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
}

// Values that do not depend on what there is.
struct Fixed {
    const char* option;
    std::array<const char*, 4> values;
};

constexpr Fixed kFixed[] = {
    {"--rmi", {"all", "local"}},       {"--tail", {"all"}},
    {"--protocol", {"tcp", "udp"}},    {"--hash", {"*"}},
    {"--oci-version", {"1.0", "1.1"}}, {"--type", {"container", "image", "network", "volume"}},
    {"--provenance", {"false"}},       {"--sbom", {"false"}},
};

constexpr std::array kStates{"created", "dead", "exited", "paused", "removing", "restarting", "running"};

bool add_fixed(const Arguments::OptionInfo& option, Completions& out) {
    for (const auto& fixed : kFixed) {
        if (!has(option, fixed.option)) continue;
        for (const auto* value : fixed.values)
            if (value != nullptr) out.add(value);
        return true;
    }
    return false;
}

// Options whose help names their values.
constexpr std::array kExplained{"--ansi", "--format", "--policy", "--progress", "--pull"};
constexpr std::array kWords{"always", "auto",  "build", "docker",  "json",  "missing", "never", "oci", "plain",
                            "pretty", "quiet", "raw",   "rawjson", "table", "text",    "tty",   "yaml"};

bool add_explained(const Arguments::OptionInfo& option, Completions& out) {
    const bool explained =
        std::any_of(kExplained.begin(), kExplained.end(), [&](const char* name) { return has(option, name); });
    if (!explained) return false;
    std::string help = " " + option.placeholder + " " + option.help + " ";
    for (char& c : help)
        if (c == ',' || c == ';' || c == ':' || c == '|') c = ' ';
    for (const std::string word : kWords)
        if (help.find(" " + word + " ") != std::string::npos) out.add(word);
    return true;
}

/// By what stands for it in the help.
void add_by_name(Context& context, const std::string& name, Completions& out) {
    const auto begins = [&](const char* text) { return name.starts_with(text); };
    if (begins("SERVICE")) {
        add_services(context, name.find('=') != std::string::npos ? "=" : "", out);
    } else if (begins("SOURCE") || begins("DESTINATION")) {
        add_services(context, ":", out);
        out.files = true;
    } else if (begins("CONTAINER")) {
        out.files = name.find("PATH") != std::string::npos;
        for (const auto& view : context.containers().list()) out.add(view.name + (out.files ? ":" : ""), view.status);
    } else if (begins("IMAGE") || begins("REPOSITORY")) {
        for (const auto& view : context.engine().images())
            if (view.tag != "<none>") out.add(view.repository + ":" + view.tag);
    } else if (begins("NETWORK")) {
        for (const auto& view : Networks(context.engine_options()).list(false)) out.add(view.name, view.driver);
    } else if (begins("VOLUME")) {
        for (const auto& view : Volumes(context.engine_options()).list()) out.add(view.name);
        out.files = true;
    } else if (begins("SIGNAL")) {
        for (const char* signal : {"SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"})
            out.add(signal);
    } else if (begins("STATE")) {
        for (const char* state : kStates) out.add(state);
    } else if (begins("status=")) {
        for (const char* state : kStates) out.add(std::string("status=") + state);
    } else if (begins("name=")) {
        out.add("name=");
    } else if (begins("SHELL")) {
        for (const char* shell : {"bash", "zsh", "fish", "powershell"}) out.add(shell);
    } else {
        for (const char* text : {"PATH", "FILE", "DIR", "FOLDER", "id=", "type="})
            out.files = out.files || begins(text);
    }
}

void add_safely(const std::function<void()>& add) {
    try {
        add();
    } catch (const std::exception&) {  // as in readable_project()
    }
}

}  // namespace

void complete_value(Context& context, const Arguments::OptionInfo& option, Completions& out) {
    add_safely([&] {
        if (has(option, "--profile")) return add_profiles(context, out);
        if (has(option, "--project-name")) {
            for (const auto& name : context.containers().projects()) out.add(name);
            return;
        }
        if (!add_explained(option, out) && !add_fixed(option, out)) add_by_name(context, option.placeholder, out);
    });
}

void complete_argument(Context& context, const std::string& name, Completions& out) {
    add_safely([&] { add_by_name(context, name, out); });
}

}  // namespace compose::cli
