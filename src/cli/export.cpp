// export and commit: a container's root as a tar, or as an image.
#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/output_file.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct ExportArgs {
    std::string service, output;
    std::optional<int> index;
};

int run_export(Context& context, const ExportArgs& args) {
    const auto view = pick_container(context, project_name(context), args.service, args.index, Want::existing);
    if (args.output.empty() && sys::is_terminal(sys::FdRef(1)))
        throw make_error(ErrorKind::usage, "output option is required when exporting to terminal")
            .with_hint("use -o FILE, or send the output to a file or a pipe");
    auto& containers = context.containers("export");
    context.say_and_do("Container " + view.name, "Exporting", "Exported", [&] {
        if (args.output.empty())
            containers.export_root(view.id, 1);
        else
            write_output_file(args.output, 0644, [&](sys::FdRef file) { containers.export_root(view.id, file.get()); });
    });
    return 0;
}

struct CommitArgs {
    std::string service, reference;
    CommitOptions options;
    std::optional<int> index;
};

int run_commit(Context& context, const CommitArgs& args) {
    const auto view = pick_container(context, project_name(context), args.service, args.index, Want::existing);
    auto options = args.options;
    options.reference = args.reference;
    const std::string event = "Container " + view.name;
    auto& progress = context.progress("commit");
    progress.on_event({Event::Status::working, event, "Committing", {}, 0, 0});
    if (context.only_say(event, "Committed")) return 0;
    const auto id = context.containers("commit").commit(view.id, options);
    progress.on_event({Event::Status::done, event, "Committed as " + id, {}, 0, 0});
    return 0;
}

}  // namespace

Run define_export(Arguments& arguments) {
    const auto args = std::make_shared<ExportArgs>();
    arguments.text("The files of a service's container as a tar stream, without what is mounted into it.");
    arguments.required("SERVICE", args->service);
    arguments.value("-o,--output", args->output, "FILE", "Write to a file");
    arguments.number("--index", args->index, "N", "The container with this number, when the service has several");
    return [args](Context& context) { return run_export(context, *args); };
}

Run define_commit(Arguments& arguments) {
    const auto args = std::make_shared<CommitArgs>();
    arguments.text("Makes an image of what a service's container has become. It is paused meanwhile.");
    arguments.required("SERVICE", args->service);
    arguments.optional("REPOSITORY[:TAG]", args->reference);
    arguments.value("-a,--author", args->options.author, "NAME", "Who made it");
    arguments.list("-c,--change", args->options.changes, "INSTRUCTION", "Apply a Dockerfile instruction to the image");
    arguments.value("-m,--message", args->options.message, "TEXT", "What was changed");
    arguments.flag("-p,--pause", args->options.pause, "Pause the container meanwhile (default true)");
    arguments.number("--index", args->index, "N", "The container with this number, when the service has several");
    return [args](Context& context) { return run_commit(context, *args); };
}

}  // namespace compose::cli
