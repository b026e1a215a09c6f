#include <csignal>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/arguments.hpp"
#include "cli/attach_streams.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/docker_settings.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string service;
    std::optional<std::string> detach_keys;
    std::optional<int> index;
    bool no_input = false, proxy = true;
};

int run(Context& context, const Args& args) {
    const auto keys = parse_detach_keys(args.detach_keys.value_or(detach_keys_setting(context)));
    const auto view = pick_container(context, project_name(context), args.service, args.index, Want::running);
    if (context.only_say("Container " + view.name, "Attached")) return 0;
    sys::SignalSet signals({SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2});
    auto& containers = context.containers("attach");
    auto session = containers.attach(view.id, true);
    AttachedEnds ends{.input = !args.no_input, .detach_keys = keys, .pass = {}};
    if (args.proxy && !session->terminal())
        ends.pass = [&](int number) {
            try {
                auto quiet = make_progress({.mode = ProgressMode::quiet});
                context.make_containers(*quiet)->kill(view.id, number);
            } catch (const Error&) {  // it has ended
            }
        };
    if (carry_attached(containers, view.id, std::move(session), ends, signals) == AttachEnd::detached) {
        print_error("read escape sequence\n");
        return 0;
    }
    const auto now = containers.find(view.id);
    // Its output may have ended before it did, or it runs again already.
    return now.state == "running" ? containers.wait(view.id) : now.exit_code;
}

}  // namespace

Run define_attach(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Connects the input and output here to a service's process; exits as it does. With a terminal, the detach "
        "keys\n"
        "leave it running.");
    arguments.required("SERVICE", args->service);
    arguments.value("--detach-keys", args->detach_keys, "KEYS", "Keys that leave it (default ctrl-p,ctrl-q)");
    arguments.number("--index", args->index, "N", "The container with this number, when the service has several");
    arguments.flag("--no-stdin", args->no_input, "Do not pass the input on");
    arguments.flag("--sig-proxy", args->proxy, "Pass signals on (default true)");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
