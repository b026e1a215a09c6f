// Commands that talk with what runs in a container: exec, attach, logs.
#include <charconv>
#include <compose/logs.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/attach_container.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/detach_keys.hpp"
#include "cli/exec_run.hpp"
#include "cli/flag_values.hpp"
#include "cli/log_follow.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct ExecArgs {
    std::string container;
    std::vector<std::string> command, environment, files;
    bool detach = false, interactive = false, tty = false, privileged = false;
    std::string user, working_dir;
    std::string detach_keys = "ctrl-p,ctrl-q";
};

std::vector<std::string> environment_of(const Context& context, const ExecArgs& args) {
    const std::map<std::string, std::string> own(context.environment.begin(), context.environment.end());
    std::vector<std::string> out;
    const auto take = [&](std::string_view flag, const std::string& text) {
        if (const auto pair = environment_flag(flag, text, own)) out.push_back(pair->first + "=" + pair->second);
    };
    for (const auto& file : args.files)
        for (const auto& line : file_lines("--env-file", file, sys::read_file(file))) take("--env-file", line);
    for (const auto& text : args.environment) take("-e", text);
    return out;
}

int exec(Context& context, const ExecArgs& args) {
    context.refuse_dry_run("exec");
    if (!args.detach) check_terminal(args.tty, args.interactive);
    (void)DetachKeys(args.detach_keys);
    const auto containers = make_containers(context);
    const auto view = containers->find(args.container);
    if (view.state == "paused")
        throw make_error(ErrorKind::conflict, "container {} is paused", view.name)
            .with_hint("unpause it before commands can run in it");
    if (view.state != "running")
        throw make_error(ErrorKind::conflict, "container {} is not running", view.name)
            .with_hint(fmt::format("start it with 'container start {}'", view.name));
    ExecOptions options;
    options.container_id = view.id;
    options.command = args.command;
    options.environment = environment_of(context, args);
    options.user = args.user;
    options.working_dir = args.working_dir;
    options.privileged = args.privileged;
    options.detach = args.detach;
    if (args.detach) {
        const auto null = sys::open_null();
        (void)containers->exec(options, null.get(), null.get(), null.get());
        return 0;
    }
    options.terminal = args.tty;
    return run_exec(
        [&](const ExecOptions& what, int in, int out, int err) { return containers->exec(what, in, out, err); },
        options, args.interactive, args.detach_keys);
}

struct AttachArgs {
    std::string container;
    bool no_stdin = false, sig_proxy = true;
    std::string detach_keys = "ctrl-p,ctrl-q";
};

int attach_to(Context& context, const AttachArgs& args) {
    context.refuse_dry_run("attach");
    sys::SignalSet signals(attach_signal_numbers());
    const auto containers = make_containers(context);
    const auto details = containers->inspect(args.container);
    const auto& state = details.view.state;
    if (state != "running")
        throw make_error(ErrorKind::conflict, "you cannot attach to container {}: it is {}", details.view.name, state);
    AttachChoice choice;
    choice.input = details.stdin_open && !args.no_stdin;
    choice.sig_proxy = args.sig_proxy;
    choice.detach_keys = args.detach_keys;
    check_terminal(details.terminal, choice.input);
    auto session = containers->attach(details.view.id, choice.input);
    return attach_container(context, signals, details.view.id, std::move(session), choice).value_or(0);
}

struct LogsArgs {
    std::string container, since, until;
    std::string tail = "all";
    bool follow = false, timestamps = false, details = false;
};

std::int64_t bound(const std::string& text, const char* flag) {
    if (text.empty()) return 0;
    const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
    if (!time)
        throw make_error(ErrorKind::usage, "invalid time {} for {}", quote(text), flag)
            .with_hint("use a time such as 2026-01-02T15:04:05Z, or how long ago: 42m");
    return *time;
}

LogRange range_of(const LogsArgs& args) {
    LogRange range{.tail = {}, .since = bound(args.since, "--since"), .until = bound(args.until, "--until")};
    if (args.tail != "all" && args.tail != "-1")
        range.tail = static_cast<std::size_t>(whole_flag("--tail", args.tail, 0, INT64_MAX));
    return range;
}

int logs(Context& context, const LogsArgs& args) {
    const auto range = range_of(args);
    const auto view = make_containers(context)->find(args.container);
    LogPrinter printer({.prefix = false, .timestamps = args.timestamps, .color = false, .details = args.details},
                       standard_streams());
    printer.add(view.id, view.name, {}, {}, view.log_details);
    if (!args.follow) {
        ContainerLogs log(false);
        log.add(view.id, view.log_path, range);
        while (const auto entry = log.next()) printer.print(*entry);
        printer.end(view.id);
        printer.flush();
        return 0;
    }
    LogFollow log(
        context.engine(), view.project, [&](const ContainerView& other) { return other.id == view.id; }, range,
        printer);
    log.refresh();
    log.drain();
    while (log.is_subscribed()) {
        const auto found = log.containers().find(view.id);
        if (found == log.containers().end() || is_over(found->second.state) || found->second.state == "created") break;
        auto patience = std::chrono::milliseconds(10'000);
        if (range.until != 0) {
            const auto rest = std::chrono::nanoseconds(range.until - sys::wall_now().time_since_epoch().count());
            if (rest.count() <= 0) break;
            patience = std::min(patience, std::chrono::ceil<std::chrono::milliseconds>(rest));
        }
        (void)log.wait({}, patience);
    }
    log.drain();
    printer.end(view.id);
    printer.flush();
    return 0;
}

}  // namespace

Run define_container_exec(Arguments& arguments) {
    const auto args = std::make_shared<ExecArgs>();
    arguments.text(
        "Exits as the command does; 126 when it can't be run, 127 when there is none. Options stand before CONTAINER.");
    arguments.options_first();
    arguments.required("CONTAINER", args->container);
    arguments.rest("COMMAND", args->command, true);
    arguments.flag("-d,--detach", args->detach, "Run it in the background");
    arguments.list("-e,--env", args->environment, "NAME[=VALUE]", "Set a variable; without a value, as it is here");
    arguments.list("--env-file", args->files, "FILE", "Read variables from a file");
    arguments.flag("-i,--interactive", args->interactive, "Pass our input on");
    arguments.flag("-t,--tty", args->tty, "Give it a terminal");
    arguments.flag("--privileged", args->privileged, "With all capabilities");
    arguments.value("-u,--user", args->user, "USER[:GROUP]", "As this user, by name or number");
    arguments.value("-w,--workdir", args->working_dir, "DIR", "In this folder of the container");
    arguments.value("--detach-keys", args->detach_keys, "KEYS", "The keys that leave it running");
    return [args](Context& context) { return exec(context, *args); };
}

Run define_container_attach(Arguments& arguments) {
    const auto args = std::make_shared<AttachArgs>();
    arguments.text(
        "Shows what its first process writes, and passes on what is typed. ctrl-p ctrl-q leaves it running.");
    arguments.required("CONTAINER", args->container);
    arguments.flag("--no-stdin", args->no_stdin, "Do not pass our input on");
    arguments.flag("--sig-proxy", args->sig_proxy, "Pass signals on to it (default true)");
    arguments.value("--detach-keys", args->detach_keys, "KEYS", "The keys that leave it running");
    return [args](Context& context) { return attach_to(context, *args); };
}

Run define_container_logs(Arguments& arguments) {
    const auto args = std::make_shared<LogsArgs>();
    arguments.required("CONTAINER", args->container);
    arguments.flag("-f,--follow", args->follow, "Go on with what is written from now on");
    arguments.value("-n,--tail", args->tail, "LINES", "The last so many lines (default all)");
    arguments.flag("-t,--timestamps", args->timestamps, "Show the time of each line");
    arguments.flag("--details", args->details, "Show what the logging options labels, env and tag add to each line");
    arguments.value("--since", args->since, "TIME", "Lines after a time, or a while ago: 42m");
    arguments.value("--until", args->until, "TIME", "Lines before a time, or a while ago");
    return [args](Context& context) { return logs(context, *args); };
}

}  // namespace compose::cli
