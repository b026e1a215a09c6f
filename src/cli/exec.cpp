#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/exec_run.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string service;
    std::vector<std::string> command, environment;
    bool detach = false, privileged = false, no_tty = false, tty = false, interactive = true;
    std::string user, working_dir;
    std::optional<int> index;
};

/// "-e NAME" takes the value from here.
std::vector<std::string> make_environment(Context& context, const Args& args) {
    const auto known = context.project_environment();
    std::vector<std::string> out;
    for (const auto& text : args.environment) {
        if (text.find('=') != std::string::npos) {
            out.push_back(text);
        } else if (const auto found = known.find(text); found != known.end()) {
            out.push_back(text + "=" + found->second);
        }
    }
    return out;
}

int run(Context& context, const Args& args) {
    const bool at_terminal = sys::is_terminal(sys::FdRef(0)) && sys::is_terminal(sys::FdRef(1));
    const auto project = project_name(context);
    auto& engine = context.engine();

    ExecOptions options;
    const auto view = pick_container(context, project, args.service, args.index, Want::running);
    if (context.only_say("Container " + view.name, "Executed")) return 0;
    options.container_id = view.id;
    options.command = args.command;
    options.environment = make_environment(context, args);
    options.user = args.user;
    options.working_dir = args.working_dir;
    options.privileged = args.privileged;
    options.detach = args.detach;
    if (args.detach) {
        const auto null = sys::open_null();
        (void)engine.exec(project, options, null.get(), null.get(), null.get());
        return 0;
    }
    options.terminal = !args.no_tty && at_terminal;
    return run_exec(
        [&](const ExecOptions& what, int in, int out, int err) { return engine.exec(project, what, in, out, err); },
        options, args.interactive);
}

}  // namespace

Run define_exec(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Has a terminal when the input and the output here are terminals. Exits as the command does; 126 when it "
        "can't\n"
        "be run, 127 when there is none. Options stand before SERVICE: what follows belongs to the command.");
    arguments.options_first();
    arguments.required("SERVICE", args->service);
    arguments.rest("COMMAND", args->command, true);
    arguments.flag("-d,--detach", args->detach, "Run it in the background");
    arguments.list("-e,--env", args->environment, "NAME[=VALUE]",
                   "Set a variable; without a value, as it is here or in .env");
    arguments.flag("-i,--interactive", args->interactive, "Pass the input on (default true)");
    arguments.number("--index", args->index, "N", "The container with this number, when the service has several");
    arguments.flag("-T,--no-tty,--no-TTY", args->no_tty, "No terminal, even when there is one here");
    arguments.flag("-t,--tty", args->tty,
                   "A terminal where there is one here, as without it (for scripts written for Docker)");
    arguments.flag("--privileged", args->privileged, "With all capabilities");
    arguments.value("-u,--user", args->user, "USER", "As this user, by name or number, with :GROUP if wanted");
    arguments.value("-w,--workdir", args->working_dir, "DIR", "In this folder of the container");
    arguments.example("compose exec web sh", "a shell");
    arguments.example("compose exec -T db pg_dump -U app app > dump.sql", "for scripts and pipes");
    arguments.example("compose exec -u root -e DEBUG=1 web ./fix", "as another user, with a variable");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
