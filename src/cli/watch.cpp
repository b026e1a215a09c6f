#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/converge.hpp"
#include "cli/interrupt.hpp"
#include "cli/project.hpp"
#include "cli/watching.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool no_up = false, prune = true, quiet = false;
};

int run(Context& context, const Args& args) {
    Diagnostics findings;
    const auto loaded = load_for_running(context, args.services, findings);
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        // Its watches stand before anything is built: what changes meanwhile is not missed.
        Watcher watcher(context.engine_options(), loaded.project, args.services,
                        watch_hooks(context, loaded.project, args.quiet, args.prune));
        if (!args.no_up) {
            UpOptions options;
            options.services = args.services;
            options.build = true;
            options.ignore_orphans = true;
            options.dry_run = context.globals.dry_run;
            context.engine("watch").up(loaded.project, options, cancel);
            context.finish_progress();
        }
        if (!context.globals.dry_run) watcher.run(cancel);
        return 0;
    });
}

}  // namespace

Run define_watch(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Builds and starts the services, then follows files as 'develop: watch' says: copies what has changed into "
        "the\n"
        "containers, restarts them or builds them anew, until Ctrl-C.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("--no-up", args->no_up, "Do not build and start the services first");
    arguments.flag("--prune", args->prune, "Remove images that a rebuild has replaced (default true)");
    arguments.flag("--quiet", args->quiet, "Do not tell what is done");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
