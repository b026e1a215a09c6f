#include <compose/load.hpp>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/container_size.hpp"
#include "cli/context.hpp"
#include "cli/docker_settings.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

constexpr std::array<std::string_view, 7> kStates{"created",  "dead",       "exited", "paused",
                                                  "removing", "restarting", "running"};

struct Args {
    std::vector<std::string> services, status, filter;
    bool all = false, quiet = false, list_services = false, no_trunc = false, orphans = true;
    std::optional<std::string> format;
};

std::set<std::string> wanted_states(const Args& args) {
    std::set<std::string> out(args.status.begin(), args.status.end());
    for (const auto& filter : args.filter) {
        const auto equals = filter.find('=');
        const auto key = filter.substr(0, equals);
        if (equals == std::string::npos || key != "status")
            throw make_error(ErrorKind::usage, "unknown filter {}", quote(filter))
                .with_hint("use --filter status=STATE");
        out.insert(filter.substr(equals + 1));
    }
    for (const auto& state : out)
        if (std::find(kStates.begin(), kStates.end(), state) == kStates.end())
            throw make_error(ErrorKind::usage, "unknown status {}", quote(state))
                .with_hint("use one of created, dead, exited, paused, removing, restarting, running");
    return out;
}

/// `ps` alone shows what runs; a container between two attempts counts.
bool is_alive(const ContainerView& view) {
    return view.state == "running" || view.state == "restarting" || view.state == "paused";
}

int run(Context& context, const Args& args) {
    const auto states = wanted_states(args);
    const auto name = project_name(context);
    auto views = containers_of(context, name, args.services, true);
    std::erase_if(views, [&](const ContainerView& view) {
        return states.empty() ? !args.all && !is_alive(view) : !states.contains(view.state);
    });
    if (!args.orphans) {
        Diagnostics findings;
        const auto loaded = load(context, make_load_request(context), findings);
        std::erase_if(views,
                      [&](const ContainerView& view) { return !loaded.project.services.contains(view.service); });
    }

    std::string out;
    if (args.quiet) {
        for (const auto& view : views) out += view.id + "\n";
    } else if (args.list_services) {
        std::set<std::string> services;
        for (const auto& view : views) services.insert(view.service);
        for (const auto& service : services) out += service + "\n";
    } else {
        const auto now = sys::wall_now().time_since_epoch().count();
        const auto setting = docker_setting(context, "psFormat");
        const auto format = args.format.value_or(setting.empty() ? "table" : setting);
        SizeText sizes;
        if (format == "json" || asks_for_size(format))
            sizes = [options = context.engine_options()](const std::string& id) { return size_text(options, id); };
        out = render_listing(compose_listing(views, now, args.no_trunc, sizes), format, false);
    }
    print(out);
    return 0;
}

}  // namespace

Run define_ps(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.rest("SERVICE", args->services);
    arguments.flag("-a,--all", args->all, "Show stopped containers too");
    arguments.flag("-q,--quiet", args->quiet, "Show ids only");
    arguments.flag("--services", args->list_services, "Show the names of services only");
    arguments.list("--status", args->status, "STATE", "Show containers in this state: running, exited, created, ...");
    arguments.list("--filter", args->filter, "status=STATE", "The same in Docker's words");
    arguments.value("--format", args->format, "FORMAT", "table, json (one object a line), raw, or a Go template");
    arguments.flag("--no-trunc", args->no_trunc, "Show ids and commands whole");
    arguments.flag("--orphans", args->orphans,
                   "Show containers of services that the file no longer has (default true)");
    arguments.example("compose ps -a", "everything, stopped ones too");
    arguments.example("compose ps --format json | jq .State", "for programs");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
