// `compose pull`, `compose push` and `compose images`: the images of a project.
#include <compose/plan.hpp>
#include <set>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

struct PullArgs {
    PullServicesOptions options;
};

/// What runs the containers does not matter here: a file with attributes that the engine can't do yet is fine.
LoadedProject load_project_for_images(Context& context, const std::vector<std::string>& services,
                                      Diagnostics& findings) {
    auto request = make_load_request(context);
    request.selected_services = services;  // named ones count whatever their profile
    request.resolve_environment = false;   // nothing is made: a missing env_file is no hindrance
    auto loaded = load(context, request, findings);
    std::vector<std::string> known;
    for (const auto& [name, service] : loaded.project.services) known.push_back(name);
    for (const auto& name : services)
        if (!loaded.project.services.contains(name)) no_such_service(name, known);
    return loaded;
}

int run_pull(Context& context, const PullArgs& args) {
    if (!args.options.policy.empty() && args.options.policy != "missing" && args.options.policy != "always")
        throw make_error(ErrorKind::usage, "invalid value {} for --policy", quote(args.options.policy))
            .with_hint("use missing or always");
    Diagnostics findings;
    const auto loaded = load_project_for_images(context, args.options.services, findings);
    try {
        return run_interruptible(context, [&](const std::stop_token& cancel) {
            context.images("pull").pull_services(loaded.project, args.options, cancel);
            return 0;
        });
    } catch (const ProjectError& error) {
        context.finish_progress();
        print_findings(context, error.findings(), findings.sources);
        return error.exit_code();
    }
}

int run_push(Context& context, const PushServicesOptions& options) {
    Diagnostics findings;
    const auto loaded = load_project_for_images(context, options.services, findings);
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        context.images("push").push_services(loaded.project, options, cancel);
        return 0;
    });
}

std::string short_digest(const std::string& id) {
    return std::string(short_id(std::string_view(id).substr(id.find(':') + 1)));
}

json::object as_json(const ContainerImage& view) {
    const auto time = [](std::int64_t ns) { return sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(ns))); };
    json::object out{{"ID", view.id},
                     {"ContainerName", view.container},
                     {"Repository", view.repository},
                     {"Tag", view.tag},
                     {"Platform", view.platform},
                     {"Size", view.size},
                     {"Created", time(view.created_at)}};
    if (view.tagged_at != 0) out["LastTagTime"] = time(view.tagged_at);
    return out;
}

int run_images(Context& context, const std::vector<std::string>& services, const std::string& format, bool quiet) {
    if (format != "table" && format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(format))
            .with_hint("use table or json");
    const auto views = context.images().of_containers(project_name(context), services);
    std::string out;
    if (quiet) {
        std::set<std::string> seen;
        for (const auto& view : views)
            if (seen.insert(view.id).second) out += view.id.substr(view.id.find(':') + 1) + "\n";
    } else if (format == "json") {
        json::array list;
        for (const auto& view : views) list.push_back(as_json(view));
        out = json::serialize(list) + "\n";
    } else {
        const auto now = sys::wall_now().time_since_epoch().count();
        Table table({"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"}, kSection);
        for (const auto& view : views)
            table.add({view.container, view.repository, view.tag, view.platform, short_digest(view.id),
                       human_size(view.size), render_age(view.created_at, now)});
        out = table.text();
    }
    print(out);
    return 0;
}

}  // namespace

Run define_pull(Arguments& arguments) {
    const auto args = std::make_shared<PullArgs>();
    arguments.text("Pulls the images of the services named, or of all. Layers that are here are not fetched again.");
    arguments.rest("SERVICE", args->options.services);
    arguments.flag("--ignore-buildable", args->options.ignore_buildable, "Leave out images that can be built");
    arguments.flag("--ignore-pull-failures", args->options.ignore_failures, "Pull what can be pulled, and go on");
    arguments.flag("--include-deps", args->options.include_deps, "Also what the services depend on");
    arguments.value("--policy", args->options.policy, "POLICY", "missing: only what is not here; always (default)");
    arguments.flag("-q,--quiet", args->options.quiet, "Do not show the progress of layers");
    arguments.without_effect("--no-parallel,--parallel",
                             "images are pulled at once; --parallel N before the command "
                             "limits how many");
    arguments.example("compose pull", "bring all images up to date; 'compose up -d' then uses them");
    return [args](Context& context) { return run_pull(context, *args); };
}

Run define_push(Arguments& arguments) {
    const auto options = std::make_shared<PushServicesOptions>();
    arguments.text("Pushes the images of the services that have a build, to the registry in their names.");
    arguments.rest("SERVICE", options->services);
    arguments.flag("--ignore-push-failures", options->ignore_failures, "Push what can be pushed, and go on");
    arguments.flag("--include-deps", options->include_deps, "Also what the services depend on");
    arguments.flag("-q,--quiet", options->quiet, "Do not show the progress of layers");
    return [options](Context& context) { return run_push(context, *options); };
}

Run define_images(Arguments& arguments) {
    struct Args {
        std::vector<std::string> services;
        std::string format = "table";
        bool quiet = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.rest("SERVICE", args->services);
    arguments.value("--format", args->format, "FORMAT", "table or json");
    arguments.flag("-q,--quiet", args->quiet, "Show ids only");
    return [args](Context& context) { return run_images(context, args->services, args->format, args->quiet); };
}

}  // namespace compose::cli
