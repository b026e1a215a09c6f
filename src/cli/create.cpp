// create and scale: convergence without a start, and to other numbers.
#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/converge.hpp"

namespace compose::cli {

namespace {

struct CreateArgs {
    std::vector<std::string> services, scale;
    bool force_recreate = false, no_recreate = false, remove_orphans = false, yes = false;
    ImageArgs images;
};

int run_create(Context& context, const CreateArgs& args) {
    exclude("create", args.no_recreate, "--no-recreate", args.force_recreate, "--force-recreate");
    UpOptions options;
    options.services = args.services;
    options.start = false;
    options.force_recreate = args.force_recreate;
    options.no_recreate = args.no_recreate;
    options.scale = parse_scale(args.scale, "--scale");
    set_orphans(context, "create", args.remove_orphans, options);
    set_images("create", args.images, options);
    options.dry_run = context.globals.dry_run;
    return converge(context, "create", args.services, options, args.yes);
}

struct ScaleArgs {
    std::vector<std::string> counts;
    bool no_deps = false;
};

int run_scale(Context& context, const ScaleArgs& args) {
    UpOptions options;
    options.scale = parse_scale(args.counts, "scale");
    for (const auto& [service, count] : options.scale) options.services.push_back(service);
    options.no_deps = args.no_deps;
    options.ignore_orphans = true;
    options.dry_run = context.globals.dry_run;
    return converge(context, "scale", options.services, options);
}

}  // namespace

Run define_create(Arguments& arguments) {
    const auto args = std::make_shared<CreateArgs>();
    arguments.text("Makes what 'compose up' would make, and starts nothing.");
    arguments.rest("SERVICE", args->services);
    define_images(arguments, args->images);
    arguments.flag("--force-recreate", args->force_recreate, "Recreate containers even if nothing has changed");
    arguments.flag("--no-recreate", args->no_recreate, "Keep containers that exist, even if something has changed");
    arguments.flag("--remove-orphans", args->remove_orphans,
                   "Remove containers of services that the file no longer has");
    arguments.list("--scale", args->scale, "SERVICE=N", "Make N containers of a service");
    arguments.flag("-y,--yes", args->yes, "Answer yes to all questions");
    return [args](Context& context) { return run_create(context, *args); };
}

Run define_scale(Arguments& arguments) {
    const auto args = std::make_shared<ScaleArgs>();
    arguments.text("The numbers hold until the next 'up' without --scale.");
    arguments.rest("SERVICE=NUMBER", args->counts, true);
    arguments.flag("--no-deps", args->no_deps, "Leave out what the services depend on");
    arguments.example("compose scale web=3 worker=5", "three of web, five of worker");
    return [args](Context& context) { return run_scale(context, *args); };
}

}  // namespace compose::cli
