#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string source, destination;
    CopyOptions options;
    std::optional<int> index;
    bool all = false;
};

struct Place {
    std::string service;  // empty: here
    std::string path;
};

/// "SERVICE:PATH"; a path that begins with "/" or "." is always one of here.
Place parse(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon == 0 || text[0] == '/' || text[0] == '.') return {{}, text};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

std::vector<ContainerView> targets(Context& context, const std::string& project, const Args& args,
                                   const std::string& service) {
    if (args.index) return {pick_container(context, project, service, args.index, Want::existing)};
    auto views = containers_of(context, project, {service}, args.all);
    if (views.empty()) return {pick_container(context, project, service, {}, Want::existing)};
    return views;
}

int run(Context& context, const Args& args) {
    const auto from = parse(args.source);
    const auto to = parse(args.destination);
    if (!from.service.empty() && !to.service.empty())
        throw make_error(ErrorKind::usage, "copying between services is not supported")
            .with_hint("copy to a folder here first");
    if (from.service.empty() && to.service.empty())
        throw make_error(ErrorKind::usage, "neither {} nor {} names a service", quote(args.source),
                         quote(args.destination))
            .with_hint("write SERVICE:PATH for the side that is in a container");
    const auto project = project_name(context);
    auto& containers = context.containers("cp");
    if (!from.service.empty()) {
        const auto view = pick_container(context, project, from.service, args.index, Want::existing);
        if (to.path == "-" && sys::is_terminal(sys::FdRef(1)))
            throw make_error(ErrorKind::usage, "a tar archive does not belong on a terminal")
                .with_hint("send it to a file or a pipe");
        context.say_and_do("Container " + view.name, "Copying", "Copied", [&] {
            if (to.path == "-")
                containers.read_archive(view.id, from.path, 1, args.options);
            else
                containers.copy_from(view.id, from.path, to.path, args.options);
        });
        return 0;
    }
    const auto views = targets(context, project, args, to.service);
    if (from.path == "-" && views.size() > 1)
        throw make_error(ErrorKind::usage, "an archive on standard input can be read only once")
            .with_hint("choose a container with --index");
    for (const auto& view : views)
        context.say_and_do("Container " + view.name, "Copying", "Copied", [&] {
            if (from.path == "-")
                containers.write_archive(view.id, to.path, 0);
            else
                containers.copy_to(from.path, view.id, to.path, args.options);
        });
    return 0;
}

}  // namespace

Run define_cp(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Copies files between here and containers, running or not: to a service means to all its containers, from it\n"
        "from the first. \"-\" is a tar archive on standard input or output.");
    arguments.required("SOURCE", args->source);
    arguments.required("DESTINATION", args->destination);
    arguments.flag("-a,--archive", args->options.archive, "Keep owners");
    arguments.flag("-L,--follow-link", args->options.follow_links, "Copy what a symbolic link points to");
    arguments.number("--index", args->index, "N", "The container with this number");
    arguments.flag("--all", args->all, "Include containers that 'run' made");
    arguments.example("compose cp web:/etc/nginx .", "out of the container");
    arguments.example("compose cp dump.sql db:/tmp/", "into it");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
