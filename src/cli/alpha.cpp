// alpha: what Docker Compose tries out, and commands that were tried out there before they got names of their own.
#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"

namespace compose::cli {

namespace {

/// A command that has left: the same one, with a word about where it is now.
Run formerly(const char* name, Run run) {
    return [name, run = std::move(run)](Context& context) {
        context.warn(fmt::format("{} is a command of its own now", name), fmt::format("compose {}", name));
        return run(context);
    };
}

}  // namespace

Run define_alpha_scale(Arguments& arguments) {
    return formerly("scale", define_scale(arguments));
}

Run define_alpha_watch(Arguments& arguments) {
    return formerly("watch", define_watch(arguments));
}

/// Only for its help: app.cpp carries the command out, with --dry-run before it.
Run define_alpha_dry_run(Arguments& arguments) {
    const auto words = std::make_shared<std::vector<std::string>>();
    arguments.text("Carries out a command of compose as --dry-run does: what would be done is shown, nothing changes.");
    arguments.options_first();
    arguments.rest("COMMAND", *words, true);
    arguments.example("compose alpha dry-run -- up -d", "the same as compose --dry-run up -d");
    return [words](Context&) -> int { throw make_error(ErrorKind::usage, "alpha dry-run in alpha dry-run"); };
}

}  // namespace compose::cli
