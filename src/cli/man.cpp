// man: manual pages from the same declarations as --help.
#include <compose/version.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

/// Text that troff takes as it is.
std::string roff(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
            out += "\\&";
            out += c;
        } else {
            out += c;
        }
    }
    return out;
}

std::string heading(const std::string& title, const std::string& summary) {
    return fmt::format(".TH {} 1 \"\" \"compose {}\" \"compose\"\n.SH NAME\n{} \\- {}\n", roff(title), kVersion,
                       roff(title), roff(summary));
}

std::string option_lines(const Arguments& arguments) {
    std::string out;
    for (const auto& option : arguments.options()) {
        std::vector<std::string> names;
        for (const auto& name : option.names) names.push_back("\\fB" + roff(name) + "\\fR");
        out += ".TP\n" + join(names, ", ");
        if (!option.placeholder.empty()) out += " \\fI" + roff(option.placeholder) + "\\fR";
        out += "\n" + roff(option.help) + "\n";
    }
    if (const auto& names = arguments.without_effect(); !names.empty())
        out += ".PP\nFor old scripts, without effect: " + roff(join(names, ", ")) + "\n";
    return out;
}

std::string command_page(const CommandInfo& command, const std::string& parent) {
    Arguments arguments(parent + " " + command.name, command.summary);
    std::string title = parent + "-" + command.name;
    std::replace(title.begin(), title.end(), ' ', '-');
    std::string out = heading(title, command.summary);
    if (command.define == nullptr) {
        out += ".SH COMMANDS\n";
        for (const auto& inner : command.group)
            out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(inner.name), roff(inner.summary));
        return out;
    }
    (void)command.define(arguments);
    out += ".SH SYNOPSIS\n\\fB" + roff(arguments.name()) + "\\fR [\\fIOPTIONS\\fR]";
    for (const auto& positional : arguments.positionals()) {
        const auto shown = "\\fI" + roff(positional.name) + "\\fR" + (positional.many ? "..." : "");
        out += positional.required ? " " + shown : " [" + shown + "]";
    }
    out += "\n";
    if (!arguments.paragraph().empty()) out += ".SH DESCRIPTION\n" + roff(arguments.paragraph()) + "\n";
    if (const auto options = option_lines(arguments); !options.empty()) out += ".SH OPTIONS\n" + options;
    if (!arguments.examples().empty()) out += ".SH EXAMPLES\n";
    for (const auto& [line, meaning] : arguments.examples())
        out += ".TP\n\\fB" + roff(line) + "\\fR\n" + roff(meaning) + "\n";
    return out + ".SH SEE ALSO\n\\fBcompose\\fR(1)\n";
}

std::string program_page() {
    std::string out = heading("compose", "run applications of several containers");
    out += ".SH SYNOPSIS\n\\fBcompose\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR\n.SH COMMANDS\n";
    for (const auto& command : all_commands())
        out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(command.name), roff(command.summary));
    Arguments root("compose", "");
    Globals globals;
    define_globals(root, globals);
    return out + ".SH OPTIONS\n" + option_lines(root);
}

void write_all(const std::string& folder, std::span<const CommandInfo> commands, const std::string& parent) {
    for (const auto& command : commands) {
        std::string name = parent + " " + command.name;
        std::replace(name.begin(), name.end(), ' ', '-');
        sys::write_file(folder + "/" + name + ".1", command_page(command, parent));
        write_all(folder, command.group, parent + " " + command.name);
    }
}

struct Args {
    std::vector<std::string> command;
    std::string folder;
};

int run(const Args& args) {
    if (!args.folder.empty()) {
        sys::make_directories(args.folder, 0755);
        sys::write_file(args.folder + "/compose.1", program_page());
        write_all(args.folder, all_commands(), "compose");
        return 0;
    }
    if (args.command.empty()) {
        print(program_page());
        return 0;
    }
    auto commands = all_commands();
    std::string parent = "compose";
    const CommandInfo* found = nullptr;
    for (const auto& word : args.command) {
        if (found != nullptr) parent += std::string(" ") + found->name;
        const auto at = std::find_if(commands.begin(), commands.end(),
                                     [&](const CommandInfo& command) { return word == command.name; });
        if (at == commands.end()) throw make_error(ErrorKind::usage, "unknown command: {}", quote(word));
        found = &*at;
        commands = found->group;
    }
    print(command_page(*found, parent));
    return 0;
}

}  // namespace

Run define_man(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Manual pages: of a command, of the program, or all of them into a folder.");
    arguments.rest("COMMAND", args->command);
    arguments.value("-o,--output", args->folder, "DIR", "Write all pages into this folder");
    arguments.example("compose man up | man -l -", "read one");
    arguments.example("compose man -o /usr/local/share/man/man1", "install them");
    return [args](Context&) { return run(*args); };
}

}  // namespace compose::cli
