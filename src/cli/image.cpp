#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct ImportArgs {
    std::string file, name, message;
    std::vector<std::string> changes;
};

int run_import(Context& context, const ImportArgs& args) {
    context.refuse_dry_run("image import");
    sys::Fd opened;
    if (args.file != "-") {
        if (sys::is_directory(args.file))
            throw make_error(ErrorKind::usage, "{} is a directory", args.file)
                .with_hint(fmt::format("pack it: tar -C {} -c . | compose image import - {}", args.file, args.name));
        opened = sys::open_for_reading(args.file);
    } else if (sys::is_terminal(sys::FdRef(0))) {
        throw make_error(ErrorKind::usage, "the tar stream is to come from the input, which is a terminal")
            .with_hint("for example: tar -C rootfs -c . | compose image import - NAME");
    }
    const int fd = opened ? opened.get() : 0;
    const auto id = context.engine("import").import_image(fd, args.name, args.changes, args.message);
    context.finish_progress();
    print(id + "\n");
    return 0;
}

int run_ls(Context& context, const std::string& format, bool quiet, bool no_trunc) {
    if (format != "table" && format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(format))
            .with_hint("use table or json");
    const auto views = context.engine().images();
    std::string out;
    if (quiet && format == "table") {
        for (const auto& view : views) {
            const auto digits = view.id.substr(view.id.find(':') + 1);
            out += (no_trunc ? view.id : std::string(short_id(digits))) + "\n";
        }
    } else {
        const auto now = sys::wall_now().time_since_epoch().count();
        out = format == "json" ? render_images_json(views, now, no_trunc) : render_images(views, now, no_trunc);
    }
    print(out);
    return 0;
}

/// Every name is tried; the first failure decides the exit status.
int run_rm(Context& context, const std::vector<std::string>& names, bool force) {
    context.refuse_dry_run("image rm");
    int status = 0;
    for (const auto& name : names) {
        try {
            std::string out;
            for (const auto& line : context.engine().remove_image(name, force)) out += line + "\n";
            print(out);
        } catch (const Error& error) {
            print_error(labelled("error", error.what(), error.hint(), context.color_err));
            status = error.exit_code();
        }
    }
    return status;
}

}  // namespace

Run define_image_import(Arguments& arguments) {
    const auto args = std::make_shared<ImportArgs>();
    arguments.text("The tar file may be plain or compressed with gzip or zstd. The image has one layer.");
    arguments.required("FILE|-", args->file);
    arguments.required("NAME[:TAG]", args->name);
    arguments.list("-c,--change", args->changes, "INSTRUCTION",
                   "Set CMD, ENTRYPOINT, ENV, EXPOSE, USER, ... as a Dockerfile does");
    arguments.value("-m,--message", args->message, "TEXT", "A remark to keep with it");
    arguments.example("mmdebstrap --variant=minbase bookworm - | compose image import - debian:bookworm",
                      "a Debian base image");
    arguments.example("compose image import -c 'CMD [\"/app\"]' app.tar app", "with a command to run");
    return [args](Context& context) { return run_import(context, *args); };
}

Run define_image_ls(Arguments& arguments) {
    struct Args {
        std::string format = "table";
        bool quiet = false, no_trunc = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.flag("-q,--quiet", args->quiet, "Show ids only");
    arguments.value("--format", args->format, "FORMAT", "table or json (one object a line)");
    arguments.flag("--no-trunc", args->no_trunc, "Show ids whole");
    return [args](Context& context) { return run_ls(context, args->format, args->quiet, args->no_trunc); };
}

Run define_image_rm(Arguments& arguments) {
    struct Args {
        std::vector<std::string> names;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.rest("IMAGE", args->names, true);
    arguments.flag("-f,--force", args->force, "Even if it has several names");
    return [args](Context& context) { return run_rm(context, args->names, args->force); };
}

}  // namespace compose::cli
