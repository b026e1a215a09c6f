#include "cli/app.hpp"

#include <compose/version.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/complete.hpp"
#include "cli/context.hpp"
#include "cli/docker_context.hpp"
#include "cli/output.hpp"
#include "cli/refused_commands.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

namespace {

constexpr int kSetUpFailed = 128;
constexpr int kBrokenPipe = 141;  // 128 + SIGPIPE: what the shell would see had the signal killed us

constexpr const char* kGlobalsNote =
    "\nGlobal options (-f, -p, --env-file, --profile, --progress, --dry-run ...): see 'compose --help'.\n";

using Words = std::vector<std::string>;

/// Docker's own commands have no Compose files.
std::string globals_note(const std::string& command) {
    return command.starts_with("docker ") && !command.starts_with("docker compose") ? "" : kGlobalsNote;
}

std::string command_lines(std::span<const CommandInfo> commands) {
    std::size_t width = 10;
    for (const auto& command : commands) width = std::max(width, std::string_view(command.name).size());
    std::string out;
    for (const auto& command : commands) out += fmt::format("  {:<{}} {}\n", command.name, width, command.summary);
    return out;
}

const CommandInfo& find_command(std::span<const CommandInfo> commands, const std::string& word,
                                const std::string& parent) {
    std::vector<std::string_view> names;
    for (const auto& command : commands) {
        if (command.name == word) return command;
        names.emplace_back(command.name);
    }
    // "docker volume" and "update" -> "volume update"
    const auto group = parent.find(' ');
    const auto whole = group == std::string::npos ? word : parent.substr(group + 1) + " " + word;
    if (const auto why = why_refused(whole); !why.empty())
        throw make_error(ErrorKind::usage, "{} {} is not supported: {}", parent, word, why);
    const auto near = nearest(word, names);
    const auto help = fmt::format("run '{} --help' for a list of commands", parent);
    throw make_error(ErrorKind::usage, "unknown command: {}", quote(word))
        .with_hint(near.empty() ? help : fmt::format("did you mean '{} {}'? {}", parent, near, help));
}

void describe_program(Arguments& root) {
    root.text("Reads a Compose file, works out what has to change, and changes it. There is no daemon.");
    root.section("Commands", command_lines(all_commands()));
    root.example("compose up -d", "start the application in this folder");
    root.example("compose logs -f web", "watch one service");
    root.example("compose down -v", "remove everything, data too");
    root.example("compose COMMAND --help", "more about one command");
}

std::string quoted_line(const std::string& program, const Words& words) {
    std::string out = program;
    for (const auto& word : words) out += " " + word;
    return out;
}

/// "help", "help up", "image help" as "--help" would do.
int show_help(std::span<const CommandInfo> commands, const std::string& parent, const Words& words, Arguments& own) {
    if (words.empty()) {
        print(own.help() + (commands.empty() ? globals_note(parent) : ""));
        return 0;
    }
    if (commands.empty()) throw make_error(ErrorKind::usage, "{} has no commands of its own", parent);
    const auto& command = find_command(commands, words[0], parent);
    Arguments arguments(parent + " " + command.name, command.summary);
    if (command.define != nullptr)
        command.define(arguments);
    else
        arguments.section("Commands", command_lines(command.group));
    return show_help(command.group, arguments.name(), Words(words.begin() + 1, words.end()), arguments);
}

void define_machine(Arguments& root, Globals& globals, const char* context_names, const char* level_names) {
    root.value("-H,--host", globals.host, "SOCKET", "Only this machine: there is no daemon");
    root.value(context_names, globals.docker_context, "NAME", "Only default");
    root.value(level_names, globals.log_level, "LEVEL", "debug, or another for less");
    root.refuse("--config", "set DOCKER_CONFIG to the folder");
    root.refuse("--tls,--tlscacert,--tlscert,--tlskey,--tlsverify", "there is no daemon to talk to");
}

/// A command that was meant for another machine must not run here.
void check_machine(Globals& globals) {
    if (!globals.host.empty()) check_host(globals.host, "--host");
    if (!globals.docker_context.empty() && globals.docker_context != "default")
        throw make_error(ErrorKind::usage, "there is no context but default: {} can't be used",
                         quote(globals.docker_context));
    if (lower(globals.log_level) == "debug") globals.debug = true;
}

void tell_warnings(const Context& context, const Arguments& arguments) {
    for (const auto& text : arguments.warnings()) {
        if (context.progress_mode == ProgressMode::json)
            print_error(json::serialize(json::object{{"warning", true}, {"message", text}}) + "\n");
        else
            print_error(labelled("warning", text, "", context.color_err));
    }
}

int run_defined(const CommandInfo& command, const Words& words, Arguments& arguments, Arguments& root, Globals& globals,
                std::unique_ptr<Context>& context, const std::string& line) {
    const auto action = command.define(arguments);
    if (!arguments.parse(words, &root)) {
        print(arguments.help() + globals_note(arguments.name()));
        return 0;
    }
    (void)root.parse({});  // the global options among the command's own
    if (globals.version)
        throw make_error(ErrorKind::usage, "{} has no flag -v or --version", arguments.name())
            .with_hint(fmt::format("run '{} --help' for its usage", arguments.name()));
    check_machine(globals);
    if (globals.debug) log::enable();
    context = std::make_unique<Context>(globals, sys::environment_snapshot(), line);
    tell_warnings(*context, arguments);
    tell_warnings(*context, root);
    if (command.needs_root && !sys::running_as_root())
        throw make_error(ErrorKind::unavailable, "compose must run as root (it makes namespaces, mounts and networks)")
            .with_hint(fmt::format("try 'sudo {}'", line));
    const int status = action(*context);
    context->finish_progress();
    return status;
}

/// Exit statuses of its own: `run` fails with 125 where its command could not even be tried.
int run_failing_as(const CommandInfo& command, const std::function<int()>& body) {
    try {
        return body();
    } catch (Error& error) {
        if (error.exit_code() == 1 || error.exit_code() == kSetUpFailed) error.with_exit_code(command.failure);
        throw;
    }
}

int run_command(const CommandInfo& command, const std::string& parent, const Words& words, Arguments& root,
                Globals& globals, std::unique_ptr<Context>& context, const std::string& line) {
    Arguments arguments(parent + " " + command.name, command.summary);
    if (command.define == nullptr) {
        arguments.section("Commands", command_lines(command.group));
        const auto at = arguments.first_positional(words);
        if (!arguments.parse(Words(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at)), &root) ||
            at == words.size()) {
            print(arguments.help());
            return 0;
        }
        const Words rest(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
        if (words[at] == "help") return show_help(command.group, arguments.name(), rest, arguments);
        const auto& inner = find_command(command.group, words[at], arguments.name());
        return run_command(inner, arguments.name(), rest, root, globals, context, line);
    }
    return run_failing_as(command,
                          [&] { return run_defined(command, words, arguments, root, globals, context, line); });
}

/// What has been typed so far is no command line yet: only its options that say which project it is about count.
int run_complete(const Words& words, Globals& globals, std::unique_ptr<Context>& context) {
    try {
        Arguments root("compose", "");
        define_globals(root, globals);
        const auto at = root.first_positional(words);
        (void)root.parse(Words(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at)));
    } catch (const Error&) {
        globals = {};
    }
    // The value that is being typed is none yet.
    globals.progress.reset();
    globals.ansi.reset();
    context = std::make_unique<Context>(globals, sys::environment_snapshot(), "compose __complete");
    return complete(*context, words);
}

/// "-p shop alpha dry-run -- up -d" is "-p shop --dry-run up -d"; as docker-compose, "compose up" is "up".
Words as_plain_words(const Arguments& root, Words words) {
    const auto at = root.first_positional(words);
    if (at < words.size() && words[at] == "compose") words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
    if (at + 2 >= words.size() || words[at] != "alpha" || words[at + 1] != "dry-run") return words;
    const auto first = words[at + 2] == "--" ? at + 3 : at + 2;
    if (first == words.size() || words[first] == "--help" || words[first] == "-h") return words;
    Words out(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at));
    out.emplace_back("--dry-run");
    out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
    return out;
}

int dispatch(const std::string& program, const Words& given, Globals& globals, std::unique_ptr<Context>& context) {
    if (!given.empty() && given[0] == "__complete")
        return run_complete(Words(given.begin() + 1, given.end()), globals, context);
    Arguments root(program, "Run applications of several containers, as a Compose file describes them.");
    define_globals(root, globals);
    if (program == "compose") {  // docker-compose takes Docker's own options, too
        root.hide_rest();
        define_machine(root, globals, "--context", "--log-level");
    }
    const auto words = as_plain_words(root, given);
    const auto at = root.first_positional(words);
    const bool helped = !root.parse(Words(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at)));
    if (globals.version && !helped) {
        print(fmt::format("Compose version {}\n", kVersion));
        return 0;
    }
    if (helped || at == words.size()) {
        describe_program(root);
        print(root.help());
        return 0;
    }
    const Words rest(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
    if (words[at] == "help") {
        describe_program(root);
        return show_help(all_commands(), program, rest, root);
    }
    return run_command(find_command(all_commands(), words[at], program), program, rest, root, globals, context,
                       quoted_line("compose", words));
}

void define_docker_globals(Arguments& root, Globals& globals) {
    root.flag("-D,--debug", globals.debug, "Show what is decided and done");
    root.flag("-v,--version", globals.version, "Show the version");
    define_machine(root, globals, "-c,--context", "-l,--log-level");
}

void check_host_variable(const Globals& globals) {
    const auto environment = sys::environment_snapshot();
    const auto variable = environment.find("DOCKER_HOST");
    if (globals.host.empty() && variable != environment.end()) check_host(variable->second, "DOCKER_HOST");
}

/// Called by the name `docker`: Docker's grammar, and `docker compose`.
int dispatch_docker(const Words& words, Globals& globals, std::unique_ptr<Context>& context) {
    Arguments root("docker", "Containers, images, networks and volumes, without a daemon.");
    define_docker_globals(root, globals);
    if (!words.empty() && words[0] == "__complete") {
        const auto typed = std::span(words).subspan(1);
        for (std::size_t i = 0; i + 1 < typed.size(); ++i) {
            if (typed[i].starts_with('-')) continue;
            if (typed[i] == "compose")
                return run_complete(Words(typed.begin() + static_cast<std::ptrdiff_t>(i) + 1, typed.end()), globals,
                                    context);
            break;
        }
        context = std::make_unique<Context>(globals, sys::environment_snapshot(), "docker __complete");
        return complete_docker(*context, Words(typed.begin(), typed.end()), root);
    }
    root.section("Commands",
                 command_lines(docker_commands()) + "  compose    Run applications of several containers\n");
    const auto at = root.first_positional(words);
    const bool helped = !root.parse(Words(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at)));
    if (globals.version && !helped) {
        print(fmt::format("Docker version {}, compose\n", kVersion));
        return 0;
    }
    if (helped || at == words.size()) {
        print(root.help());
        return 0;
    }
    check_machine(globals);
    check_host_variable(globals);
    const Words rest(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
    if (words[at] == "help") return show_help(docker_commands(), "docker", rest, root);
    if (words[at] == "compose") return dispatch("docker compose", rest, globals, context);
    return run_command(find_command(docker_commands(), words[at], "docker"), "docker", rest, root, globals, context,
                       quoted_line("docker", words));
}

bool is_docker(const char* program) {
    const std::string_view path(program);
    return path.substr(path.rfind('/') + 1) == "docker";
}

void report(const std::string& message, const std::string& hint, const Context* context) {
    if (context != nullptr && context->progress_mode == ProgressMode::json) {
        json::object out{{"error", true}, {"message", message}};
        if (!hint.empty()) out["hint"] = hint;
        print_error(json::serialize(out) + "\n");
        return;
    }
    print_error(labelled("error", message, hint, context != nullptr && context->color_err));
}

}  // namespace

int run(int argc, char** argv) {
    std::unique_ptr<Context> context;
    const auto finish = [&] {
        if (context) context->finish_progress();
    };
    try {
        sys::ensure_standard_fds();
        sys::ignore_sigpipe();
        Globals globals;
        const Words words(argv + std::min(argc, 1), argv + argc);
        if (argc > 0 && is_docker(argv[0])) return dispatch_docker(words, globals, context);
        return dispatch("compose", words, globals, context);
    } catch (const Exit& exit) {
        finish();
        return exit.code;
    } catch (const OutputClosed&) {
        finish();
        return kBrokenPipe;
    } catch (const Error& error) {
        finish();
        report(error.what(), error.hint(), context.get());
        // 126 and 127 tell of the user's command; that a container could not be set up is a failure like any other.
        return error.exit_code() == kSetUpFailed ? 1 : error.exit_code();
    } catch (const std::exception& error) {
        finish();
        report(error.what(), "this is a bug of compose; --debug shows more", context.get());
        return 1;
    }
}

}  // namespace compose::cli
