// run: one container of a service that is no replica, in the foreground unless told otherwise.
#include <csignal>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/attach_container.hpp"
#include "cli/attach_streams.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/converge.hpp"
#include "cli/docker_settings.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/run_override.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Args {
    RunOverride change;
    bool detach = false, remove = false, no_deps = false, no_tty = false, tty = false, interactive = true;
    bool quiet = false, remove_orphans = false, service_ports = false, use_aliases = false;
    std::string name;
    ImageArgs images;
};

/// What it depends on runs, in the state that it asks for; orphans are gone when asked. Gives the service what
/// providers and models say to it.
int start_dependencies(Context& context, const Args& args, Project& project) {
    const auto& service = project.services.at(args.change.service);
    UpOptions options;
    set_images("run", args.images, options);
    options.await_for = service.name;
    if (!args.no_deps)
        for (const auto& dependency : service.depends_on)
            if (project.services.contains(dependency.service)) options.services.push_back(dependency.service);
    options.remove_orphans = args.remove_orphans || context.variable_is_true("COMPOSE_REMOVE_ORPHANS");
    options.ignore_orphans = !options.remove_orphans;
    options.dry_run = context.globals.dry_run;
    if (options.services.empty() && service.models.empty() && !options.remove_orphans) return 0;
    Project others = project;
    if (options.services.empty()) {  // nothing but its models, and what is too much
        others.disabled_services.merge(others.services);
        others.services.clear();
        others.services.insert(others.disabled_services.extract(service.name));
    }
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        auto& own = project.services.at(args.change.service);
        own.environment = context.engine("run").up(others, options, cancel).services.at(own.name).environment;
        return 0;
    });
}

void fetch_own_image(Context& context, const Args& args, const Project& project) {
    UpOptions options;
    set_images("run", args.images, options);
    options.dry_run = context.globals.dry_run;
    options.services = {args.change.service};
    options.no_deps = true;
    const int code = run_interruptible(context, [&](const std::stop_token& cancel) {
        context.engine("run").prepare(project, options, cancel);
        return 0;
    });
    if (code != 0) throw make_error("canceled").with_exit_code(code);
}

void pass_signal(Context& context, const std::string& id, int number) {
    try {
        auto quiet = make_progress({.mode = ProgressMode::quiet});
        context.make_containers(*quiet)->kill(id, number);
    } catch (const Error&) {  // it has ended
    }
}

/// An end on which nobody looks at what is left over.
void remove_quietly(Context& context, const std::string& id) {
    auto quiet = make_progress({.mode = ProgressMode::quiet});
    context.make_containers(*quiet)->remove(id, true, true);
}

/// Beside the container, whose output is being shown.
void run_post_start(Context& context, const std::string& id) {
    try {
        auto quiet = make_progress({.mode = ProgressMode::quiet});
        context.make_containers(*quiet)->run_post_start(id);
    } catch (const Error& error) {
        print_error(std::string(error.what()) + "\n" + (error.hint().empty() ? "" : error.hint() + "\n"));
    }
}

int run_attached(Context& context, const Args& args, const std::string& id) {
    sys::SignalSet signals(attach_signal_numbers());
    auto& containers = context.containers("run");
    context.finish_progress();
    try {
        auto session = containers.start_attached(id, args.interactive);
        const std::jthread hooks([&] { run_post_start(context, id); });
        AttachedEnds ends{.input = args.interactive,
                          .detach_keys = parse_detach_keys(detach_keys_setting(context)),
                          .pass = [&](int number) { pass_signal(context, id, number); }};
        if (carry_attached(containers, id, std::move(session), ends, signals) == AttachEnd::detached) return 0;
        const int code = containers.wait(id);
        if (args.remove) remove_quietly(context, id);
        return code;
    } catch (const Error&) {
        if (args.remove) remove_quietly(context, id);
        throw;
    }
}

/// What a dry run would do with the container itself.
void tell_steps(Context& context, const Args& args, const Project& project) {
    const auto name = args.name.empty() ? project.name + "-" + args.change.service + "-run" : args.name;
    const auto nothing = [] {};
    context.say_and_do("Container " + name, "Creating", "Created", nothing);
    context.say_and_do("Container " + name, "Starting", "Started", nothing);
    if (args.remove && !args.detach) context.say_and_do("Container " + name, "Removing", "Removed", nothing);
}

int run(Context& context, Args args) {
    const bool in_terminal = sys::is_terminal(sys::FdRef(0));
    exclude("run", args.tty, "--tty", args.no_tty, "--no-tty");
    exclude("run", args.service_ports, "--service-ports", !args.change.publish.empty(), "--publish");
    if (args.tty && !in_terminal && args.interactive && !args.detach)
        throw make_error(ErrorKind::usage,
                         "cannot attach stdin to a TTY-enabled container because stdin is not a terminal");
    args.change.terminal = !args.no_tty && (args.tty || (in_terminal && sys::is_terminal(sys::FdRef(1))));
    args.change.input = args.interactive;
    Diagnostics findings;
    auto written = load_for_running(context, {args.change.service}, findings).project;
    if (written.services.at(args.change.service).provider)
        throw make_error(ErrorKind::invalid, "service {} has no containers: a program provides it",
                         quote(args.change.service));
    fetch_own_image(context, args, written);
    (void)overridden(context, written, args.change);  // what is wrong with the flags, before anything starts
    if (const int code = start_dependencies(context, args, written); code != 0) return code;
    const auto project = overridden(context, written, args.change);
    CreateOptions options;
    options.name = args.name;
    options.ports = args.service_ports || !args.change.publish.empty();
    options.aliases = args.use_aliases;
    if (context.globals.dry_run) {
        tell_steps(context, args, project);
        return 0;
    }
    const auto id = context.containers("run").create(project.name, project, args.change.service, options);
    if (!args.detach) return run_attached(context, args, id);
    context.containers("run").start(id);
    context.containers("run").run_post_start(id);
    context.finish_progress();
    print(id + "\n");
    return 0;
}

void define_container_options(Arguments& arguments, RunOverride& change) {
    arguments.list("--cap-add", change.cap_add, "CAP", "Add a capability");
    arguments.list("--cap-drop", change.cap_drop, "CAP", "Drop a capability");
    arguments.value("--entrypoint", change.entrypoint, "COMMAND", "Instead of the image's entrypoint");
    arguments.list("-e,--env", change.environment, "NAME[=VALUE]",
                   "Set a variable; without a value, as it is here or in .env");
    arguments.list("--env-from-file", change.env_files, "FILE", "Set variables from a file");
    arguments.list("-l,--label", change.labels, "NAME=VALUE", "Add a label");
    arguments.list("-p,--publish", change.publish, "PORT", "Publish a port, as in the file: 8080:80");
    arguments.value("-u,--user", change.user, "USER", "As this user, by name or number, with :GROUP if wanted");
    arguments.list("-v,--volume", change.volumes, "VOLUME", "Mount a folder or a volume, as in the file: ./x:/x");
    arguments.value("-w,--workdir", change.working_dir, "DIR", "In this folder of the container");
    arguments.old_name("--labels", "--label");
    arguments.old_name("--volumes", "--volume");
}

}  // namespace

Run define_run(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Starts what the service depends on, then one container of its own for the command, and exits as it does.\n"
        "Options stand before SERVICE: what follows belongs to the command.");
    arguments.options_first();
    arguments.required("SERVICE", args->change.service);
    arguments.rest("COMMAND", args->change.command);
    arguments.flag("-d,--detach", args->detach, "Leave it running and print its id");
    define_container_options(arguments, args->change);
    arguments.flag("-i,--interactive", args->interactive, "Pass the input on (default true)");
    define_images(arguments, args->images);
    arguments.value("--name", args->name, "NAME", "Name of the container");
    arguments.flag("-T,--no-tty,--no-TTY", args->no_tty, "No terminal, even when there is one here");
    arguments.flag("-t,--tty", args->tty, "A terminal");
    arguments.flag("--no-deps", args->no_deps, "Leave out what the service depends on");
    arguments.flag("--remove-orphans", args->remove_orphans,
                   "Remove containers of services that the file no longer has");
    arguments.flag("--rm", args->remove, "Remove it when it has ended, with its anonymous volumes");
    arguments.flag("-P,--service-ports", args->service_ports, "Publish the service's ports");
    arguments.flag("--use-aliases", args->use_aliases, "Answer to the service's names on its networks");
    arguments.flag("-q,--quiet", args->quiet, "No progress");
    arguments.example("compose run --rm web npm test", "a command in a fresh container");
    arguments.example("compose run --rm -v ./dump:/dump db psql -f /dump/x.sql", "with a folder of here");
    return [args](Context& context) {
        if (args->quiet) context.progress_mode = ProgressMode::quiet;
        return run(context, *args);
    };
}

}  // namespace compose::cli
