#include "cli/converge.hpp"

#include <charconv>
#include <compose/plan.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/question.hpp"
#include "cli/remote_stack.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

std::map<std::string, int> parse_scale(const std::vector<std::string>& texts, const char* flag) {
    std::map<std::string, int> out;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        int count = -1;
        if (equals != std::string::npos && equals > 0) {
            const auto* end = text.data() + text.size();
            const auto read = std::from_chars(text.data() + equals + 1, end, count);
            if (read.ec != std::errc{} || read.ptr != end) count = -1;
        }
        if (count < 0)
            throw make_error(ErrorKind::usage, "{} {} is not SERVICE=NUMBER", flag, quote(text))
                .with_hint(fmt::format("for example {} web=3", flag));
        out[text.substr(0, equals)] = count;
    }
    return out;
}

void exclude(const char* command, bool first, const char* first_name, bool second, const char* second_name) {
    if (first && second)
        throw make_error(ErrorKind::usage, "{} and {} exclude each other", first_name, second_name)
            .with_hint(fmt::format("run 'compose {} --help' for the usage of both", command));
}

void set_orphans(const Context& context, const char* command, bool remove, UpOptions& options) {
    options.remove_orphans = remove || context.variable_is_true("COMPOSE_REMOVE_ORPHANS");
    options.ignore_orphans = context.variable_is_true("COMPOSE_IGNORE_ORPHANS");
    options.all_resources = context.globals.all_resources;
    exclude(command, options.remove_orphans, "--remove-orphans", options.ignore_orphans, "COMPOSE_IGNORE_ORPHANS");
}

void define_images(Arguments& arguments, ImageArgs& args) {
    arguments.flag("--build", args.build, "Build images before containers are made");
    arguments.flag("--no-build", args.no_build, "Do not build an image, even if it is not here");
    arguments.value("--pull", args.pull, "WHEN", "Pull images: always, missing, never or build");
    arguments.flag("--quiet-pull", args.quiet_pull, "Do not show the progress of pulling layers");
    arguments.flag("--quiet-build", args.quiet_build, "Do not show the output of builds");
}

void set_images(const char* command, const ImageArgs& args, UpOptions& options) {
    exclude(command, args.build, "--build", args.no_build, "--no-build");
    check_pull_flag(args.pull);
    options.pull = args.pull;
    options.build = args.build;
    options.no_build = args.no_build;
    options.quiet_pull = args.quiet_pull;
    options.quiet_build = args.quiet_build;
}

void ask_for_volumes(Context& context, const char* command, bool yes, const Project& project, UpOptions& options) {
    const bool terminal = sys::is_terminal(sys::FdRef(0)) && sys::is_terminal(sys::FdRef(2));
    if (!yes && (!terminal || options.dry_run)) return;  // it is kept, with a warning
    for (const auto& volume : context.engine(command).changed_volumes(project, options)) {
        context.finish_progress();
        if (yes || ask(fmt::format("Volume {} exists but doesn't match its definition in the file. Make it anew? "
                                   "Its data will be lost.",
                                   quote(volume)),
                       false))
            options.recreate_volumes.insert(volume);
    }
}

int converge(Context& context, const char* title, const std::vector<std::string>& services, UpOptions options,
             bool yes) {
    Diagnostics findings;
    const auto loaded = load_for_running(context, services, findings);
    try {
        if (!options.dry_run) confirm_remote_stack(context, loaded, yes);
        ask_for_volumes(context, title, yes, loaded.project, options);
        return run_interruptible(context, [&](const std::stop_token& cancel) {
            context.engine(title).up(loaded.project, options, cancel);
            return 0;
        });
    } catch (const ProjectError& error) {
        context.finish_progress();
        print_findings(context, error.findings(), findings.sources);
        return error.exit_code();
    }
}

}  // namespace compose::cli
