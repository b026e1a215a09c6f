#include <algorithm>
#include <compose/config.hpp>
#include <compose/plan.hpp>
#include <csignal>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/attach.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/converge.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "cli/remote_stack.hpp"
#include "sys/clock.hpp"
#include "sys/signals.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services, scale, attach, no_attach;
    bool detach = false, wait = false, no_start = false, no_deps = false;
    bool force_recreate = false, no_recreate = false, always_recreate_deps = false, renew_anon_volumes = false;
    bool remove_orphans = false, no_color = false, no_log_prefix = false, timestamps = false;
    bool rerun = false, watch = false;
    bool menu = true;
    bool abort_on_exit = false, abort_on_failure = false, attach_dependencies = false;
    std::optional<int> wait_timeout, timeout;
    std::string exit_code_from, pull;
    bool build = false, no_build = false, quiet_pull = false, quiet_build = false, yes = false;
    bool foreground() const { return !detach && !wait && !no_start; }
};

void exclude(bool first, const char* first_name, bool second, const char* second_name) {
    cli::exclude("up", first, first_name, second, second_name);
}

void check(const Args& args) {
    const bool abort = args.abort_on_exit || args.abort_on_failure || !args.exit_code_from.empty();
    // --no-attach is allowed: in the background nothing is shown anyway.
    const bool attaching = !args.attach.empty() || args.attach_dependencies;
    const char* background = args.wait ? "--wait" : args.no_start ? "--no-start" : "--detach";
    const char* aborting = args.abort_on_exit      ? "--abort-on-container-exit"
                           : args.abort_on_failure ? "--abort-on-container-failure"
                                                   : "--exit-code-from";
    exclude(!args.foreground(), background, abort, aborting);
    exclude(!args.foreground(), background, attaching, "--attach and --attach-dependencies");
    exclude(!args.attach.empty(), "--attach", args.attach_dependencies, "--attach-dependencies");
    exclude(!args.foreground(), background, args.watch, "--watch");
    exclude(args.no_build, "--no-build", args.watch, "--watch");
    exclude(args.no_recreate, "--no-recreate", args.force_recreate, "--force-recreate");
    exclude(args.no_recreate, "--no-recreate", args.always_recreate_deps, "--always-recreate-deps");
    exclude(args.no_recreate, "--no-recreate", args.renew_anon_volumes, "--renew-anon-volumes");
    exclude(args.no_start, "--no-start", args.wait, "--wait");
    exclude(args.build, "--build", args.no_build, "--no-build");
    check_pull_flag(args.pull);
    exclude(args.abort_on_exit, "--abort-on-container-exit", args.abort_on_failure, "--abort-on-container-failure");
    if (args.wait_timeout && *args.wait_timeout < 0)
        throw make_error(ErrorKind::usage, "--wait-timeout can't be negative");
    if (args.wait_timeout && !args.wait) throw make_error(ErrorKind::usage, "--wait-timeout needs --wait");
}

UpOptions make_options(const Context& context, const Args& args) {
    UpOptions options;
    options.services = args.services;
    options.start = !args.no_start;
    options.no_deps = args.no_deps;
    options.force_recreate = args.force_recreate;
    options.no_recreate = args.no_recreate;
    options.always_recreate_deps = args.always_recreate_deps;
    options.renew_anon_volumes = args.renew_anon_volumes;
    set_orphans(context, "up", args.remove_orphans, options);
    options.scale = parse_scale(args.scale, "--scale");
    if (args.timeout) options.timeout = std::chrono::seconds(*args.timeout);
    options.wait = args.wait;
    // Whoever waits for its end wants to see it again.
    options.rerun = args.rerun || args.abort_on_exit || args.abort_on_failure || !args.exit_code_from.empty();
    options.rerun_unawaited = args.foreground();
    options.pull = args.pull;
    options.build = args.build;
    options.no_build = args.no_build;
    options.quiet_pull = args.quiet_pull;
    options.quiet_build = args.quiet_build;
    if (args.wait_timeout) options.wait_timeout = std::chrono::seconds(*args.wait_timeout);
    options.dry_run = context.globals.dry_run;
    return options;
}

AttachOptions make_attach(const Context& context, const Args& args, const Project& project) {
    AttachOptions out;
    out.project = project.name;
    if (args.services.empty())
        for (const auto& [name, service] : project.services) out.targets.insert(name);
    else
        out.targets.insert(args.services.begin(), args.services.end());

    std::vector<std::string> candidates(out.targets.begin(), out.targets.end());
    if (args.attach_dependencies) candidates = with_dependencies(project, candidates);
    for (const auto& name : candidates)
        if (args.attach.empty() && project.services.at(name).attach) out.shown.insert(name);
    std::vector<std::string> known;
    for (const auto& [name, service] : project.services) known.push_back(name);
    for (const auto& list : {args.attach, args.no_attach})
        for (const auto& name : list)
            if (!project.services.contains(name)) no_such_service(name, known);
    out.shown.insert(args.attach.begin(), args.attach.end());
    for (const auto& name : args.no_attach) out.shown.erase(name);

    if (!args.exit_code_from.empty() && !project.services.contains(args.exit_code_from))
        no_such_service(args.exit_code_from, known);
    out.exit_code_from = args.exit_code_from;
    out.abort = args.abort_on_failure                                ? AttachOptions::Abort::on_failure
                : args.abort_on_exit || !args.exit_code_from.empty() ? AttachOptions::Abort::on_exit
                                                                     : AttachOptions::Abort::never;
    out.style = {
        .prefix = !args.no_log_prefix, .timestamps = args.timestamps, .color = context.color_out && !args.no_color};
    if (args.timeout) out.timeout = std::chrono::seconds(*args.timeout);
    return out;
}

/// Services whose running containers a rolling update would replace: those can't stop first and start later, as the
/// rest does in the foreground.
std::vector<std::string> rolling(Engine& engine, const Project& project, const UpOptions& options) {
    std::set<std::string> replaced, out;
    const bool any = std::any_of(project.services.begin(), project.services.end(),
                                 [](const auto& entry) { return entry.second.deploy.update.has_value(); });
    if (!any || options.force_recreate) return {};  // by force, all are made anew at once
    for (const auto& change : engine.plan_changes(project, options))
        if (change.kind == PlannedChange::Kind::replace) replaced.insert(change.object);
    for (const auto& view : engine.containers(project.name)) {
        const auto service = project.services.find(view.service);
        if (replaced.contains("Container " + view.name) && is_live(view) && service != project.services.end() &&
            service->second.deploy.update)
            out.insert(view.service);
    }
    return {out.begin(), out.end()};
}

/// Providers are asked before anything is made, and what they wait for runs by then.
Project ask_providers(Engine& engine, const Project& project, UpOptions& options, const std::stop_token& cancel) {
    const bool alone = options.no_deps && !options.services.empty();
    std::vector<std::string> providers;
    for (const auto& name : alone ? options.services : with_dependencies(project, options.services))
        if (project.services.at(name).provider) providers.push_back(name);
    if (providers.empty()) return project;
    UpOptions ask = options;
    ask.services = providers;
    // Of what they need, that what was named is treated as such.
    const auto named = [&](const std::string& name) {
        return options.services.empty() ||
               std::find(options.services.begin(), options.services.end(), name) != options.services.end();
    };
    for (const auto& name : with_dependencies(project, providers))
        if (!alone && named(name) && !project.services.at(name).provider) ask.services.push_back(name);
    ask.remove_orphans = false;
    ask.ignore_orphans = true;
    options.begun = sys::wall_now().time_since_epoch().count();
    std::erase_if(options.services, [&](const auto& name) { return project.services.at(name).provider.has_value(); });
    return engine.up(project, ask, cancel);
}

int run_foreground(Context& context, const Args& args, const Project& written, const std::string& config,
                   UpOptions options) {
    auto watch = make_attach(context, args, written);
    std::optional<std::int64_t> rolled;
    Project project = written;
    bool left = true;
    const int created = run_interruptible(context, [&](const std::stop_token& cancel) {
        auto& engine = context.engine("up");
        // What starting would complain about is to be known before anything is made.
        (void)engine.plan_up(project, options);
        const auto before = sys::wall_now().time_since_epoch().count();
        project = ask_providers(engine, written, options, cancel);
        left = !options.services.empty() || (args.services.empty() && !project.services.empty());
        if (!left) return 0;
        if (project.services.size() < written.services.size()) rolled = before;
        if (auto services = rolling(engine, project, options); !services.empty()) {
            rolled = before;
            UpOptions roll = options;
            roll.services = std::move(services);
            roll.always_recreate_deps = roll.remove_orphans = false;
            roll.ignore_orphans = true;
            engine.up(project, roll, cancel);
        }
        UpOptions create = options;
        create.start = false;
        project = engine.up(project, create, cancel);
        return 0;
    });
    context.finish_progress();
    if (created != 0 || !left) return created;

    // Everything is as it should be by now; what is left is to start it, in order.
    UpOptions start = options;
    start.pull = "never";
    start.build = false;
    start.no_build = true;
    start.force_recreate = start.always_recreate_deps = start.renew_anon_volumes = start.remove_orphans = false;
    start.no_recreate = start.ignore_orphans = true;
    start.recreate_volumes.clear();
    watch.since = rolled.value_or(sys::wall_now().time_since_epoch().count());
    sys::SignalSet signals({SIGINT, SIGTERM, SIGHUP});
    watch.menu = args.menu && context.variable("COMPOSE_MENU") != "false" && context.variable("COMPOSE_MENU") != "0" &&
                 sys::is_terminal(sys::FdRef(0)) && sys::is_terminal(sys::FdRef(1));
    watch.watching = args.watch;
    watch.watch_services = options.services;
    watch.file = &project;
    watch.written = &written;
    if (watch.menu) watch.config = config;
    return attach(context, signals, watch,
                  [&](Engine& engine, const std::stop_token& cancel) { engine.up(project, start, cancel); });
}

int run(Context& context, const Args& args) {
    check(args);
    auto options = make_options(context, args);
    Diagnostics findings;
    const auto loaded = load_for_running(context, args.services, findings);
    try {
        if (!options.dry_run) confirm_remote_stack(context, loaded, args.yes);
        ask_for_volumes(context, "up", args.yes, loaded.project, options);
        if (args.foreground() && !options.dry_run)
            return run_foreground(context, args, loaded.project, render_config(loaded, ConfigFormat::yaml), options);
        if (args.foreground()) (void)make_attach(context, args, loaded.project);  // what it would complain about
        const int status = run_interruptible(context, [&](const std::stop_token& cancel) {
            context.engine("up").up(loaded.project, options, cancel);
            return 0;
        });
        context.finish_progress();
        if (args.foreground() && status == 0)
            print("end of 'compose up' output, interactive run is not supported in dry-run mode\n");
        return status;
    } catch (const ProjectError& error) {
        context.finish_progress();
        print_findings(context, error.findings(), findings.sources);
        return error.exit_code();
    }
}

}  // namespace

Run define_up(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Creates what is missing, recreates what has changed, starts everything in the order of depends_on, and then\n"
        "shows the output of the containers until Ctrl-C stops them. With -d it returns and leaves them running.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("-d,--detach", args->detach, "Leave the containers running in the background");
    arguments.flag("--wait", args->wait, "Wait until services are running or healthy; implies --detach");
    arguments.number("--wait-timeout", args->wait_timeout, "SECONDS", "How long --wait waits at most");
    arguments.flag("--build", args->build, "Build images before containers are made");
    arguments.flag("--no-build", args->no_build, "Do not build an image, even if it is not here");
    arguments.value("--pull", args->pull, "WHEN", "Pull images: always, missing, never or build");
    arguments.flag("--quiet-pull", args->quiet_pull, "Do not show the progress of pulling layers");
    arguments.flag("--quiet-build", args->quiet_build, "Do not show the output of builds");
    arguments.flag("--no-start", args->no_start, "Create, but do not start");
    arguments.flag("--no-deps", args->no_deps, "Leave out what the services depend on");
    arguments.flag("--force-recreate", args->force_recreate, "Recreate containers even if nothing has changed");
    arguments.flag("--no-recreate", args->no_recreate, "Keep containers that exist, even if something has changed");
    arguments.flag("--always-recreate-deps", args->always_recreate_deps, "Recreate dependencies too");
    arguments.flag("-V,--renew-anon-volumes", args->renew_anon_volumes,
                   "Give recreated containers new anonymous volumes");
    arguments.list("--scale", args->scale, "SERVICE=N", "Run N containers of a service");
    arguments.flag("--remove-orphans", args->remove_orphans,
                   "Remove containers of services that the file no longer has");
    arguments.number("-t,--timeout", args->timeout, "SECONDS", "Time for containers to stop before they are killed");
    arguments.list("--attach", args->attach, "SERVICE", "Show the output of these services only");
    arguments.list("--no-attach", args->no_attach, "SERVICE", "Do not show the output of these services");
    arguments.flag("--attach-dependencies", args->attach_dependencies, "Show the output of dependencies too");
    arguments.flag("--abort-on-container-exit", args->abort_on_exit, "Stop all when one container ends");
    arguments.flag("--abort-on-container-failure", args->abort_on_failure,
                   "Stop all when one container fails; exit as it did");
    arguments.value("--exit-code-from", args->exit_code_from, "SERVICE",
                    "Exit as this service's container did; implies --abort-on-container-exit");
    arguments.flag("-w,--watch", args->watch, "Follow changes of files as 'develop: watch' says");
    arguments.flag("--menu", args->menu,
                   "Keys while it is attached: d detaches, w watches, o shows the file (default true)");
    arguments.flag("--rerun", args->rerun, "Start one-shots that have completed again");
    arguments.flag("-y,--yes", args->yes, "Answer yes to all questions");
    arguments.flag("--timestamps", args->timestamps, "Show the time of each line");
    arguments.flag("--no-log-prefix", args->no_log_prefix, "Do not show the container's name before each line");
    arguments.flag("--no-color", args->no_color, "No colours in the output");
    arguments.example("compose up -d", "start everything in the background");
    arguments.example("compose up -d --wait", "... and return when it is healthy");
    arguments.example("compose up web", "start web and what it needs, and watch web");
    arguments.example("compose up --exit-code-from tests", "run until the tests end, exit as they did");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
