#include <compose/plan.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool volumes = false, remove_orphans = false;
    std::string images;
    std::optional<int> timeout;
};

int run(Context& context, const Args& args) {
    // With a name, the state is enough; a file that is there still tells what is external.
    const auto name = project_name(context);
    std::optional<LoadedProject> loaded;
    Diagnostics findings;
    const bool name_given = context.globals.project_name || !context.variable("COMPOSE_PROJECT_NAME").empty();
    const bool file_given = !context.globals.files.empty() || !context.variable("COMPOSE_FILE").empty();
    if (!name_given || file_given) {
        try {
            auto request = make_load_request(context);
            request.resolve_environment = false;  // nothing is made: a missing env_file is no hindrance
            loaded = load(context, request, findings);
        } catch (const Exit&) {
            print_error(fmt::format("'compose -p {} down' works without the file\n", name));
            throw;
        }
    }

    DownOptions options;
    options.services = args.services;
    if (!args.images.empty() && args.images != "local" && args.images != "all")
        throw make_error(ErrorKind::usage, "invalid value {} for --rmi", quote(args.images))
            .with_hint("use local or all");
    options.images = args.images;
    options.volumes = args.volumes;
    options.remove_orphans = args.remove_orphans || context.variable_is_true("COMPOSE_REMOVE_ORPHANS");
    if (args.timeout) options.timeout = std::chrono::seconds(*args.timeout);
    options.dry_run = context.globals.dry_run;
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        auto& engine = context.engine("down");
        if (!args.services.empty()) (void)containers_of(context, name, args.services);
        engine.down(name, loaded ? &loaded->project : nullptr, options, cancel);
        return 0;
    });
}

}  // namespace

Run define_down(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Volumes stay unless -v is given. With -p NAME no Compose file is needed: what was made is known.\n"
        "With services, only their containers go and the networks stay.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("-v,--volumes", args->volumes, "Remove the volumes too, with all data in them");
    arguments.old_name("--volume", "--volumes", true);
    arguments.value("--rmi", args->images, "WHICH",
                    "Remove images: local (built here, without a name of their own) or all");
    arguments.number("-t,--timeout", args->timeout, "SECONDS", "Time for containers to stop before they are killed");
    arguments.flag("--remove-orphans", args->remove_orphans,
                   "Remove containers of services that the file no longer has");
    arguments.example("compose down", "stop and remove, keep the data");
    arguments.example("compose down -v", "remove the data too");
    arguments.example("compose -p shop down", "by name, from anywhere");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
