// Commands that change the state of containers by name: start, stop, restart, kill, pause, unpause, rm, wait, rename,
// prune.
#include <charconv>
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/attach_container.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/flag_values.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

struct Targets {
    std::vector<std::string> names;
    std::optional<int> timeout;
    std::string signal;
    bool force = false, volumes = false, attach = false, interactive = false;
    std::string detach_keys = "ctrl-p,ctrl-q";

    [[nodiscard]] std::optional<Nanoseconds> grace() const {
        return timeout ? std::optional<Nanoseconds>(std::chrono::seconds(*timeout)) : std::nullopt;
    }
};

void define_timeout(Arguments& arguments, Targets& args) {
    arguments.number("-t,--timeout,--time", args.timeout, "SECONDS",
                     "Time to stop before being killed (default: its own; -1: no limit)");
    arguments.value("-s,--signal", args.signal, "SIGNAL", "Stop it with this signal");
}

/// As Docker: prints the name that was given.
template <class Action>
Run each(const std::shared_ptr<Targets>& args, const char* verb, Action action) {
    return [args, verb, action](Context& context) {
        context.refuse_dry_run(verb);
        const auto containers = make_containers(context);
        return each_target(context, args->names, [&](const std::string& name) {
            action(*containers, name, *args);
            return name;
        });
    };
}

int start_attached(Context& context, const Targets& args) {
    if (args.names.size() != 1) throw make_error(ErrorKind::usage, "only one container can be started and attached");
    sys::SignalSet signals(attach_signal_numbers());
    const auto containers = make_containers(context);
    const auto details = containers->inspect(args.names[0]);
    check_terminal(details.terminal, args.interactive);
    AttachChoice choice;
    choice.input = args.interactive;
    choice.detach_keys = args.detach_keys;
    auto session = containers->start_attached(details.view.id, args.interactive);
    return attach_container(context, signals, details.view.id, std::move(session), choice).value_or(0);
}

int prune(Context& context, const std::vector<std::string>& texts, bool force) {
    context.refuse_dry_run("container prune");
    const Filters filters(texts, {"label", "label!", "until"});
    const std::int64_t until = until_filter(filters);
    if (!force && !confirm("WARNING! This will remove all stopped containers.")) return 0;
    const auto containers = make_containers(context);
    const auto options = context.engine_options();
    std::string removed;
    std::int64_t freed = 0;
    int status = 0;
    for (const auto& view : containers->list()) {
        const bool stopped = view.state == "created" || view.state == "exited" || view.state == "dead";
        if (!stopped || view.created_at >= until || !filters.labels(view.labels)) continue;
        try {
            const auto size = container_size(options, view.id).writable;
            containers->remove(view.id, false, false);
            removed += view.id + "\n";
            freed += size;
        } catch (const Error& error) {
            report_failure(context, error);
            status = 1;
        }
    }
    containers->empty_trash();
    if (!removed.empty()) print("Deleted Containers:\n" + removed + "\n");
    print(fmt::format("Total reclaimed space: {}\n", human_size(freed)));
    return status;
}

}  // namespace

Run define_container_start(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.rest("CONTAINER", args->names, true);
    arguments.flag("-a,--attach", args->attach, "Show its output and pass signals on");
    arguments.flag("-i,--interactive", args->interactive, "Pass our input on");
    arguments.value("--detach-keys", args->detach_keys, "KEYS", "The keys that leave it running");
    arguments.refuse("--checkpoint,--checkpoint-dir", "processes can't be saved to disk and brought back");
    const auto plain = each(
        args, "start", [](Containers& containers, const std::string& name, const Targets&) { containers.start(name); });
    return [args, plain](Context& context) {
        if (args->attach || args->interactive) return start_attached(context, *args);
        return plain(context);
    };
}

Run define_container_stop(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.rest("CONTAINER", args->names, true);
    define_timeout(arguments, *args);
    return each(args, "stop", [](Containers& containers, const std::string& name, const Targets& given) {
        std::optional<int> signal;
        if (!given.signal.empty()) signal = signal_argument(given.signal);
        containers.stop(name, given.grace(), signal);
    });
}

Run define_container_restart(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.rest("CONTAINER", args->names, true);
    define_timeout(arguments, *args);
    return each(args, "restart", [](Containers& containers, const std::string& name, const Targets& given) {
        if (given.signal.empty()) return containers.restart(name, given.grace());
        containers.stop(name, given.grace(), signal_argument(given.signal));
        containers.start(name);
    });
}

Run define_container_kill(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    args->signal = "KILL";
    arguments.rest("CONTAINER", args->names, true);
    arguments.value("-s,--signal", args->signal, "SIGNAL", "By name or number (default KILL)");
    return each(args, "kill", [](Containers& containers, const std::string& name, const Targets& given) {
        containers.kill(name, signal_argument(given.signal));
    });
}

Run define_container_pause(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.rest("CONTAINER", args->names, true);
    return each(args, "pause",
                [](Containers& containers, const std::string& name, const Targets&) { containers.pause(name); });
}

Run define_container_unpause(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.rest("CONTAINER", args->names, true);
    return each(args, "unpause",
                [](Containers& containers, const std::string& name, const Targets&) { containers.unpause(name); });
}

Run define_container_rm(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.rest("CONTAINER", args->names, true);
    arguments.flag("-f,--force", args->force, "Kill it when it runs; no error when it is not there");
    arguments.flag("-v,--volumes", args->volumes, "Its anonymous volumes too");
    arguments.refuse("-l,--link", "a link goes with the container that has it");
    return each(args, "rm", [](Containers& containers, const std::string& name, const Targets& given) {
        try {
            containers.remove(name, given.force, given.volumes);
        } catch (const Error& error) {
            if (!given.force || error.kind() != ErrorKind::not_found) throw;
        }
    });
}

Run define_container_wait(Arguments& arguments) {
    const auto args = std::make_shared<Targets>();
    arguments.text("Prints the exit code of each container, once it has ended.");
    arguments.rest("CONTAINER", args->names, true);
    return [args](Context& context) {
        const auto containers = make_containers(context);
        return each_target(context, args->names,
                           [&](const std::string& name) { return std::to_string(containers->wait(name)); });
    };
}

Run define_container_rename(Arguments& arguments) {
    struct Args {
        std::string from, to;
    };
    const auto args = std::make_shared<Args>();
    arguments.required("CONTAINER", args->from);
    arguments.required("NEW_NAME", args->to);
    return [args](Context& context) {
        context.refuse_dry_run("rename");
        if (!is_object_name(args->to) || args->to.size() < 2)
            throw make_error(ErrorKind::usage, "{} is no container name", quote(args->to))
                .with_hint("two or more letters, digits, \"_\", \".\" or \"-\", and the first one a letter or digit");
        make_containers(context)->rename(args->from, args->to);
        return 0;
    };
}

Run define_container_prune(Arguments& arguments) {
    struct Args {
        std::vector<std::string> filters;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("Removes all containers that do not run.");
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.list("--filter", args->filters, "KEY=VALUE", "Only those: label=, label!=, until=");
    return [args](Context& context) { return prune(context, args->filters, args->force); };
}

}  // namespace compose::cli
