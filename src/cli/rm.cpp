#include <iterator>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "cli/question.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool force = false, stop = false, volumes = false;
};

int run(Context& context, const Args& args) {
    const auto name = project_name(context);
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        auto& containers = context.containers("rm");
        if (args.stop && !replicas_of(context, name, args.services).empty())
            context.engine("rm").stop(name, args.services, std::nullopt, cancel);
        auto views = containers_of(context, name, args.services, true);
        const bool as_if_stopped = args.stop && context.globals.dry_run;
        std::erase_if(views, [&](const ContainerView& view) {
            return (view.state == "running" || view.state == "paused" || view.state == "restarting") &&
                   !(as_if_stopped && !view.oneoff);
        });
        if (views.empty()) {
            context.finish_progress();
            print_error("No stopped containers\n");
            return 0;
        }
        std::vector<std::string> names;
        for (const auto& view : views) names.push_back(view.name);
        const auto going = "Going to remove " + join(names, ", ");
        if (args.force || context.globals.dry_run) {
            print(going + "\n");
        } else {
            context.finish_progress();
            if (!ask(going, false)) return kDeclined;
        }
        for (const auto& view : views) containers.remove(view.id, as_if_stopped, args.volumes);
        return 0;
    });
}

}  // namespace

Run define_rm(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Removes containers that do not run. Named volumes stay, and so does what the file says.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.flag("-s,--stop", args->stop, "Stop them first");
    arguments.flag("-v,--volumes", args->volumes, "Remove their anonymous volumes too");
    arguments.without_effect("-a,--all", "containers that 'run' made are removed without it");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
