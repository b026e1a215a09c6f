// `compose image save|load|bootstrap`: images as files, and images from packages.
#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_platform.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/output_file.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct SaveArgs {
    std::vector<std::string> names;
    std::string output, platform;
    SaveOptions options;
};

int run_save(Context& context, const SaveArgs& args) {
    context.refuse_dry_run("image save");
    for (const auto& name : args.names) check_platform(context, name, args.platform);
    if (args.output.empty() && sys::is_terminal(sys::FdRef(1)))
        throw make_error(ErrorKind::usage, "an archive is not for a terminal").with_hint("use -o FILE, or a pipe");
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        if (args.output.empty()) {
            context.images("save").save(args.names, args.options, 1, cancel);
            return 0;
        }
        write_output_file(args.output, 0600, [&](sys::FdRef file) {
            context.images("save").save(args.names, args.options, file.get(), cancel);
        });
        return 0;
    });
}

int run_load(Context& context, const std::string& input, bool quiet) {
    context.refuse_dry_run("image load");
    sys::Fd opened;
    std::string folder;
    if (!input.empty() && sys::is_directory(input))
        folder = input;
    else if (!input.empty())
        opened = sys::open_for_reading(input);
    else if (sys::is_terminal(sys::FdRef(0)))
        throw make_error(ErrorKind::usage, "the archive is to come from the input, which is a terminal")
            .with_hint("use -i FILE");
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        const auto lines = context.images("load").load(opened ? opened.get() : 0, folder, cancel);
        context.finish_progress();
        std::string out;
        for (const auto& line : lines) out += line + "\n";
        if (!quiet) print(out);
        return 0;
    });
}

int run_bootstrap(Context& context, const BootstrapOptions& options) {
    context.refuse_dry_run("image bootstrap");
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        const auto id = context.images("bootstrap").bootstrap(options, cancel);
        context.finish_progress();
        print(id + "\n");
        return 0;
    });
}

}  // namespace

Run define_image_save(Arguments& arguments) {
    const auto args = std::make_shared<SaveArgs>();
    arguments.text("The archive is an OCI layout that 'docker load', skopeo and podman read too.");
    arguments.rest("IMAGE", args->names, true);
    arguments.value("-o,--output", args->output, "FILE", "Where to; standard output otherwise");
    arguments.value("--format", args->options.format, "FORMAT", "docker (default), or oci: without Docker's own files");
    define_platform(arguments, args->platform);
    return [args](Context& context) { return run_save(context, *args); };
}

Run define_image_load(Arguments& arguments) {
    struct Args {
        std::string input;
        bool quiet = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Reads what 'docker save', skopeo, podman and umoci write: tar archives, plain or compressed with gzip or\n"
        "zstd, and the folder of an OCI layout.");
    arguments.value("-i,--input", args->input, "FILE|FOLDER", "Where from; standard input otherwise");
    arguments.flag("-q,--quiet", args->quiet, "Show nothing");
    arguments.refuse("--platform", "of an archive of several platforms this machine's is taken");
    return [args](Context& context) { return run_load(context, args->input, args->quiet); };
}

Run define_image_bootstrap(Arguments& arguments) {
    struct Args {
        BootstrapOptions options;
        std::vector<std::string> include;
    };
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Makes a base image of the distribution's own packages through mmdebstrap, where no registry has one.\n"
        "The tag is the suite; \"-slim\" after it leaves manuals and translations out.");
    arguments.required("NAME:SUITE[-slim]", args->options.name);
    arguments.list("--include", args->include, "PACKAGE,...", "Further packages");
    arguments.value("--mirror", args->options.mirror, "URL", "Where packages come from (default: as on this machine)");
    arguments.example("compose image bootstrap debian:bookworm-slim --include ca-certificates", "a small Debian");
    return [args](Context& context) {
        auto options = args->options;
        for (const auto& list : args->include)
            for (const auto& name : split(list, ',')) options.include.push_back(name);
        return run_bootstrap(context, options);
    };
}

}  // namespace compose::cli
