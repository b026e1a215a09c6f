// start, stop, restart and kill: one shape, four words.
#include <csignal>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "sys/process.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    std::optional<int> timeout;
    std::string signal = "SIGKILL";
    bool no_deps = false, wait = false, remove_orphans = false;
    std::optional<int> wait_timeout;

    std::optional<Nanoseconds> grace() const {
        return timeout ? std::optional<Nanoseconds>(std::chrono::seconds(*timeout)) : std::nullopt;
    }
};

/// The project's name, after a look whether the services named exist; empty when they have no container, and `verb` has
/// nothing to do then.
std::string checked_project(Context& context, const char* verb, const std::vector<std::string>& services) {
    auto name = project_name(context);
    (void)context.engine(verb);
    const auto views = containers_of(context, name, services);
    // Stopping nothing is what was asked for; starting nothing is not.
    if (views.empty() && std::string_view(verb) == "start") {
        const auto whose = services.empty() ? "project " + quote(name) : "service " + quote(services.front());
        throw make_error(ErrorKind::not_found, "{} has no container to {}", whose, verb)
            .with_hint("'compose up' makes them");
    }
    return name;
}

void remove_orphans(Context& context, const std::string& name) {
    Diagnostics findings;
    const auto loaded = load(context, make_load_request(context), findings);
    for (const auto& view : containers_of(context, name, {}))
        if (!loaded.project.services.contains(view.service) && !loaded.project.disabled_services.contains(view.service))
            context.containers("kill").remove(view.id, true, false);
}

/// With what programs of the host provide, as far as there is a file that says so.
std::optional<Project> file_of(Context& context) {
    Diagnostics findings;
    try {
        return load_project(make_load_request(context), context.files(), findings).project;
    } catch (const Error&) {  // with a name, no file is needed
        return std::nullopt;
    }
}

void define_timeout(Arguments& arguments, Args& args) {
    arguments.number("-t,--timeout", args.timeout, "SECONDS",
                     "Time to stop before being killed (default: the service's stop_grace_period; -1: no limit)");
}

}  // namespace

Run define_start(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Starts containers that were stopped or never started, as they are. 'compose up' makes new ones.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("--wait", args->wait, "Wait until services are running or healthy");
    arguments.number("--wait-timeout", args->wait_timeout, "SECONDS", "How long --wait waits at most");
    return [args](Context& context) {
        if (args->wait_timeout && (!args->wait || *args->wait_timeout < 0))
            throw make_error(ErrorKind::usage, "--wait-timeout needs --wait, and a number that is not negative");
        return run_interruptible(context, [&](const std::stop_token& cancel) {
            const auto name = checked_project(context, "start", args->services);
            const auto file = file_of(context);
            const auto* project = file ? &*file : nullptr;
            if (!args->wait) {
                context.engine().start(name, args->services, cancel, project);
                return 0;
            }
            std::optional<std::chrono::seconds> limit;
            if (args->wait_timeout) limit = std::chrono::seconds(*args->wait_timeout);
            context.engine().start_and_wait(name, args->services, limit, cancel, project);
            return 0;
        });
    };
}

Run define_stop(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Containers and their data stay; 'compose start' goes on with them.");
    arguments.rest("SERVICE", args->services);
    define_timeout(arguments, *args);
    return [args](Context& context) {
        return run_interruptible(context, [&](const std::stop_token& cancel) {
            const auto name = checked_project(context, "stop", args->services);
            const auto file = file_of(context);
            context.engine().stop(name, args->services, args->grace(), cancel, file ? &*file : nullptr);
            return 0;
        });
    };
}

Run define_restart(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("A changed Compose file is not read: that is what 'compose up -d' is for.");
    arguments.rest("SERVICE", args->services);
    define_timeout(arguments, *args);
    arguments.flag("--no-deps", args->no_deps, "Do not restart services that depend on them with restart: true");
    return [args](Context& context) {
        return run_interruptible(context, [&](const std::stop_token& cancel) {
            const auto name = checked_project(context, "restart", args->services);
            if (containers_of(context, name, args->services).empty()) return 0;
            context.engine().restart(name, args->services, args->grace(), args->no_deps, cancel);
            return 0;
        });
    };
}

Run define_kill(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.rest("SERVICE", args->services);
    arguments.value("-s,--signal", args->signal, "SIGNAL", "Signal to send, by name or number (default SIGKILL)");
    arguments.flag("--remove-orphans", args->remove_orphans,
                   "Remove containers of services that the file no longer has");
    arguments.example("compose kill -s HUP web", "tell web to read its configuration again");
    return [args](Context& context) {
        const auto number = sys::signal_number(args->signal);
        if (!number)
            throw make_error(ErrorKind::usage, "{} is no signal", quote(args->signal))
                .with_hint("use a name such as SIGHUP or a number");
        const auto name = checked_project(context, "kill", args->services);
        const auto views = containers_of(context, name, args->services, true);
        if (std::none_of(views.begin(), views.end(), is_live)) print_error("No container to kill\n");
        context.engine().kill(name, args->services, *number);
        if (args->remove_orphans) remove_orphans(context, name);
        return 0;
    };
}

}  // namespace compose::cli
