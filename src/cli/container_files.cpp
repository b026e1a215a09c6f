// Commands that move files in and out of containers: cp, export, commit.
#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/output_file.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Place {
    std::string container;  // empty: a path of this machine
    std::string path;
};

/// "web:/etc/hosts" is in a container; "/a:b", "./a:b" and "-" are here.
Place place_of(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || text.starts_with('/') || text.starts_with('.')) return {{}, text};
    if (colon == 0) throw make_error(ErrorKind::usage, "{}: the container's name is missing", quote(text));
    return {text.substr(0, colon), text.substr(colon + 1)};
}

struct CopyArgs {
    std::string from, to;
    bool archive = false, follow = false, quiet = false;
};

int copy(Context& context, const CopyArgs& args) {
    context.refuse_dry_run("cp");
    const auto from = place_of(args.from), to = place_of(args.to);
    if (from.container.empty() == to.container.empty())
        throw make_error(ErrorKind::usage, "{}",
                         from.container.empty() ? "must specify at least one container source"
                                                : "copying between containers is not supported")
            .with_hint("write CONTAINER:PATH for one of the two");
    const auto containers = make_containers(context);
    const CopyOptions options{.archive = args.archive, .follow_links = args.follow};
    if (to.path == "-" && to.container.empty()) {
        if (sys::is_terminal(sys::FdRef(1)))
            throw make_error(ErrorKind::usage, "the tar stream would go to a terminal").with_hint("send it to a file");
        containers->read_archive(from.container, from.path, 1, options);
        return 0;
    }
    if (from.path == "-" && from.container.empty()) {
        containers->write_archive(to.container, to.path, 0);
        return 0;
    }
    if (from.container.empty())
        containers->copy_to(from.path, to.container, to.path, options);
    else
        containers->copy_from(from.container, from.path, to.path, options);
    return 0;
}

int export_root(Context& context, const std::string& container, const std::string& file) {
    context.refuse_dry_run("export");
    const auto containers = make_containers(context);
    if (file.empty()) {
        if (sys::is_terminal(sys::FdRef(1)))
            throw make_error(ErrorKind::usage, "the tar stream would go to a terminal")
                .with_hint("use -o FILE, or send it to a file");
        containers->export_root(container, 1);
        return 0;
    }
    const auto view = containers->find(container);  // before the file is touched
    write_output_file(file, 0644, [&](sys::FdRef out) { containers->export_root(view.id, out.get()); });
    return 0;
}

}  // namespace

Run define_container_cp(Arguments& arguments) {
    const auto args = std::make_shared<CopyArgs>();
    arguments.text(
        "From a container or to one, running or not; '-' is a tar stream. A folder's content alone is FOLDER/. as in "
        "cp.");
    arguments.required("CONTAINER:PATH|PATH|-", args->from);
    arguments.required("CONTAINER:PATH|PATH|-", args->to);
    arguments.flag("-a,--archive", args->archive, "Keep owners");
    arguments.flag("-L,--follow-link", args->follow, "Copy what the source points to when it is a link");
    arguments.flag("-q,--quiet", args->quiet, "No progress (there is none)");
    return [args](Context& context) { return copy(context, *args); };
}

Run define_container_export(Arguments& arguments) {
    struct Args {
        std::string container, file;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("Its whole root file system as a tar stream, without its volumes.");
    arguments.required("CONTAINER", args->container);
    arguments.value("-o,--output", args->file, "FILE", "To a file");
    return [args](Context& context) { return export_root(context, args->container, args->file); };
}

Run define_container_commit(Arguments& arguments) {
    struct Args {
        std::string container;
        CommitOptions options;
        bool no_pause = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("Makes an image of a container as it is now, without its volumes.");
    arguments.required("CONTAINER", args->container);
    arguments.optional("NAME[:TAG]", args->options.reference);
    arguments.value("-a,--author", args->options.author, "TEXT", "Who made it");
    arguments.list("-c,--change", args->options.changes, "INSTRUCTION", "Set CMD, ENV, ... as a Dockerfile does");
    arguments.value("-m,--message", args->options.message, "TEXT", "A remark to keep with it");
    arguments.flag("-p,--pause", args->options.pause, "Pause it meanwhile (default true)");
    arguments.flag("--no-pause", args->no_pause, "Do not");
    return [args](Context& context) {
        context.refuse_dry_run("commit");
        if (args->no_pause) args->options.pause = false;
        print(make_containers(context)->commit(args->container, args->options) + "\n");
        return 0;
    };
}

}  // namespace compose::cli
