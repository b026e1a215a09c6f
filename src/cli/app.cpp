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
#include "cli/output.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

namespace {

constexpr int kSetUpFailed = 128;
constexpr int kBrokenPipe = 141;  // 128 + SIGPIPE: what the shell would see had the signal killed us

constexpr const char* kGlobalsNote =
    "\nGlobal options (-f, -p, --env-file, --profile, --progress, --dry-run ...): see 'compose --help'.\n";

using Words = std::vector<std::string>;

std::string command_lines(std::span<const CommandInfo> commands) {
    std::string out;
    for (const auto& command : commands) out += fmt::format("  {:<10} {}\n", command.name, command.summary);
    return out;
}

const CommandInfo& find_command(std::span<const CommandInfo> commands, const std::string& word,
                                const std::string& parent) {
    std::vector<std::string_view> names;
    for (const auto& command : commands) {
        if (command.name == word) return command;
        names.emplace_back(command.name);
    }
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

std::string quoted_line(const Words& words) {
    std::string out = "compose";
    for (const auto& word : words) out += " " + word;
    return out;
}

/// "help", "help up", "image help" as "--help" would do.
int show_help(std::span<const CommandInfo> commands, const std::string& parent, const Words& words, Arguments& own) {
    if (words.empty()) {
        print(own.help() + (commands.empty() ? kGlobalsNote : ""));
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
    const auto action = command.define(arguments);
    if (!arguments.parse(words, &root)) {
        print(arguments.help() + kGlobalsNote);
        return 0;
    }
    (void)root.parse({});  // the global options among the command's own
    if (globals.version)
        throw make_error(ErrorKind::usage, "{} has no flag -v or --version", arguments.name())
            .with_hint(fmt::format("run '{} --help' for its usage", arguments.name()));
    if (globals.debug) log::enable();
    context = std::make_unique<Context>(globals, sys::environment_snapshot(), line);
    if (command.needs_root && !sys::running_as_root())
        throw make_error(ErrorKind::unavailable, "compose must run as root (it makes namespaces, mounts and networks)")
            .with_hint(fmt::format("try 'sudo {}'", line));
    const int status = action(*context);
    context->finish_progress();
    return status;
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
    context = std::make_unique<Context>(globals, sys::environment_snapshot(), "compose __complete");
    return complete(*context, words);
}

int dispatch(const Words& words, Globals& globals, std::unique_ptr<Context>& context) {
    if (!words.empty() && words[0] == "__complete")
        return run_complete(Words(words.begin() + 1, words.end()), globals, context);
    Arguments root("compose", "Run applications of several containers, as a Compose file describes them.");
    define_globals(root, globals);
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
        return show_help(all_commands(), "compose", rest, root);
    }
    return run_command(find_command(all_commands(), words[at], "compose"), "compose", rest, root, globals, context,
                       quoted_line(words));
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
        return dispatch(Words(argv + std::min(argc, 1), argv + argc), globals, context);
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
