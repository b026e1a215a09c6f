#include <compose/build.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/build_arguments.hpp"
#include "cli/build_progress.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string context, file, target, platform, progress, network, shm_size, iid_file, metadata_file, builder,
        provenance, sbom, call = "build";
    std::vector<std::string> tags, args, contexts, no_cache_filter, secrets, ssh, labels, hosts, ulimits, outputs,
        allow, cache_from, cache_to;
    bool no_cache = false, pull = false, quiet = false, check = false, load = false, push = false, remove = true,
         force_remove = false;
};

std::pair<std::int64_t, std::int64_t> limit_of(const std::string& text, const std::string& numbers) {
    const auto colon = numbers.find(':');
    std::int64_t values[2] = {0, 0};
    const std::string parts[2] = {numbers.substr(0, colon),
                                  colon == std::string::npos ? numbers : numbers.substr(colon + 1)};
    for (int i = 0; i < 2; ++i) {
        std::size_t used = 0;
        try {
            values[i] = std::stoll(parts[i], &used);
        } catch (const std::exception&) {
            used = 0;
        }
        if (used == 0 || used != parts[i].size() || values[i] < -1)
            throw make_error(ErrorKind::usage, "--ulimit {} is not NAME=SOFT:HARD", quote(text));
    }
    return {values[0], values[1]};
}

void add_lists(const Args& args, BuildRequest& request) {
    for (const auto& text : args.labels) {
        const auto equals = text.find('=');
        request.labels[text.substr(0, equals)] = equals == std::string::npos ? std::string() : text.substr(equals + 1);
    }
    for (const auto& text : args.contexts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            throw make_error(ErrorKind::usage, "--build-context {} is not NAME=FOLDER", quote(text));
        auto where = text.substr(equals + 1);
        if (where.find("://") == std::string::npos && !where.starts_with("git@")) where = sys::absolute_path(where);
        request.contexts[text.substr(0, equals)] = where;
    }
    for (const auto& text : args.hosts) {
        const auto at = text.find_first_of("=:");
        if (at == std::string::npos || at == 0 || at + 1 == text.size())
            throw make_error(ErrorKind::usage, "--add-host {} is not HOST:ADDRESS", quote(text));
        request.extra_hosts[text.substr(0, at)].push_back(text.substr(at + 1));
    }
    for (const auto& text : args.ulimits) {
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            throw make_error(ErrorKind::usage, "--ulimit {} is not NAME=SOFT:HARD", quote(text));
        request.ulimits[text.substr(0, equals)] = limit_of(text, text.substr(equals + 1));
    }
}

/// The tar or the Dockerfile that comes on standard input.
void check_input(const Args& args) {
    if (sys::is_terminal(sys::FdRef(0)))
        throw make_error(ErrorKind::usage, "the context is to come from the input, which is a terminal")
            .with_hint("name a folder: compose image build -t NAME .");
    if (args.context == "-" && args.file == "-")
        throw make_error(ErrorKind::usage, "context and Dockerfile can't both come from the input");
}

BuildRequest make_request(const Context& context, const Args& args) {
    BuildRequest request;
    if (args.context == "-" || args.file == "-") check_input(args);
    if (args.file == "-")
        request.dockerfile_text = sys::read_all(sys::FdRef(0), std::size_t{4} << 20U);
    else if (!args.file.empty())
        request.dockerfile = args.context.find("://") != std::string::npos ? args.file : sys::absolute_path(args.file);
    if (args.context == "-") {
        request.context_fd = 0;
        request.dockerfile = args.file;
    } else if (args.context.find("://") != std::string::npos || args.context.starts_with("git@")) {
        request.context = args.context;
    } else {
        request.context = sys::absolute_path(args.context);
    }
    request.tags = args.tags;
    request.target = args.target;
    request.platform = args.platform;
    request.no_cache = args.no_cache;
    request.no_cache_filter = args.no_cache_filter;
    request.pull = args.pull;
    request.allow = args.allow;
    if (!args.network.empty() && args.network != "default" && args.network != "none" && args.network != "host")
        throw make_error(ErrorKind::usage, "invalid value {} for --network", quote(args.network))
            .with_hint("use default, none or host");
    request.network = args.network;
    if (!args.shm_size.empty()) {
        request.shm_size = parse_bytes(args.shm_size);
        if (!request.shm_size) throw make_error(ErrorKind::usage, "--shm-size {} is not a size", quote(args.shm_size));
    }
    add_lists(args, request);
    add_build_args(context, args.args, request);
    add_secrets(context, args.secrets, request);
    add_ssh(context, args.ssh, request);
    add_outputs(args.outputs, request);
    if (args.load && !request.outputs.empty()) request.outputs.push_back({.type = "image", .dest = ""});
    request.output_fd = 1;
    return request;
}

/// What Docker's builders can do and this one can't.
void check_flags(const Args& args) {
    if (!args.builder.empty() && args.builder != "default")
        throw make_error(ErrorKind::usage, "there is no builder {}", quote(args.builder))
            .with_hint("builds run on this machine; leave out --builder");
    for (const auto& [flag, value] : {std::pair("--provenance", args.provenance), std::pair("--sbom", args.sbom)})
        if (!value.empty() && value != "false" && value != "0")
            throw make_error(ErrorKind::usage, "{} {}: no attestations are made", flag, quote(value))
                .with_hint(fmt::format("leave out {}, or say {}=false", flag, flag));
    if (args.call != "build" && args.call != "check" && args.call != "lint")
        throw make_error(ErrorKind::usage, "--call {} is not supported", quote(args.call))
            .with_hint("use build or check");
    if (args.push && args.tags.empty())
        throw make_error(ErrorKind::usage, "--push needs a name to push to").with_hint("add -t REGISTRY/NAME:TAG");
}

/// `--push` and `--output type=registry`.
void push_result(Context& context, const BuildResult& result, bool quiet, const std::stop_token& cancel) {
    std::string out;
    for (const auto& name : result.names)
        for (const auto& line : context.images("push").push(name, false, quiet, cancel)) out += line + "\n";
    context.finish_progress();
    if (!quiet) print(out);
}

int check_only(const Context& context, const BuildRequest& request) {
    Diagnostics findings;
    check_build(context.engine_options(), request, findings);
    print_findings(context, findings.sorted(), findings.sources);
    if (!findings.sorted().empty()) return 1;
    print("Check complete, no warnings found.\n");
    return 0;
}

void write_results(const Args& args, const BuildResult& result) {
    if (!args.iid_file.empty()) sys::write_file(args.iid_file, result.image_id, 0644);
    if (args.metadata_file.empty()) return;
    json::object out{{"containerimage.config.digest", result.image_id}, {"image.name", join(result.names, ",")}};
    sys::write_file(args.metadata_file, json::serialize(out) + "\n", 0644);
}

int run(Context& context, const Args& args) {
    context.refuse_dry_run("image build");
    check_flags(args);
    const auto request = make_request(context, args);
    if (args.check || args.call != "build") return check_only(context, request);
    for (const auto* list : {&args.cache_from, &args.cache_to})
        if (!list->empty())
            context.warn(fmt::format("the cache {} is not used: there is the local one only", quote(list->front())));
    const auto mode = args.quiet ? BuildProgressMode::quiet : build_progress_mode(context, args.progress);
    const auto progress = make_build_progress(context, mode);
    Diagnostics findings;
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        try {
            const auto result = build_image(context.engine_options(), request, findings, *progress, cancel);
            progress->finish();
            write_results(args, result);
            if (!args.quiet) report_build_warnings(context, findings, result);
            if (args.push) push_result(context, result, args.quiet, cancel);
            if (args.quiet && !result.image_id.empty()) print(result.image_id + "\n");
            return 0;
        } catch (const BuildFailure& failure) {
            progress->finish();
            if (cancel.stop_requested()) throw Error("the build was given up").with_exit_code(130);
            return report_build_failure(context, failure, findings);
        }
    });
}

}  // namespace

Run define_image_build(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Builds an image from a Dockerfile and the files of a folder (or of a git repository, or of a tar on standard\n"
        "input). Steps run in containers of their own; what has not changed since an earlier build is taken from it.");
    arguments.required("CONTEXT", args->context);
    arguments.list("-t,--tag", args->tags, "NAME", "Name of the image; may be given several times");
    arguments.value("-f,--file", args->file, "PATH", "Dockerfile (default: CONTEXT/Dockerfile); '-' is standard input");
    arguments.list("--build-arg", args->args, "NAME=VALUE", "Value of an ARG");
    arguments.list("--build-context", args->contexts, "NAME=FOLDER",
                   "A further context: a folder, an address, docker-image://NAME");
    arguments.value("--target", args->target, "STAGE", "Stage to build");
    arguments.value("--platform", args->platform, "OS/ARCH", "Platform; only this machine's can be built");
    arguments.flag("--no-cache", args->no_cache, "Carry out every step anew");
    arguments.list("--no-cache-filter", args->no_cache_filter, "STAGE", "Carry out the steps of this stage anew");
    arguments.flag("--pull", args->pull, "Ask the registry for newer base images");
    arguments.flag("-q,--quiet", args->quiet, "Print the image's id only");
    arguments.flag("--load", args->load, "Keep the image in the store even with other outputs");
    arguments.value("--progress", args->progress, "KIND", "Progress as auto, plain, tty, rawjson or quiet");
    arguments.list("--secret", args->secrets, "id=ID,src=FILE",
                   "A secret for RUN --mount=type=secret; or id=ID,env=VARIABLE");
    arguments.list("--ssh", args->ssh, "ID[=SOCKET]", "An SSH agent for RUN --mount=type=ssh");
    arguments.list("--label", args->labels, "KEY=VALUE", "Label of the image");
    arguments.value("--network", args->network, "MODE", "Network of RUN: default, none or host");
    arguments.list("--add-host", args->hosts, "HOST:ADDRESS", "A line for /etc/hosts during the build");
    arguments.value("--shm-size", args->shm_size, "SIZE", "Size of /dev/shm during the build");
    arguments.list("--ulimit", args->ulimits, "NAME=SOFT:HARD", "Limit of the steps' processes");
    arguments.list("--allow", args->allow, "WHAT", "Allow security.insecure to RUN --security=insecure");
    arguments.value("--iidfile", args->iid_file, "FILE", "Write the image's id to a file");
    arguments.value("--metadata-file", args->metadata_file, "FILE", "Write the result as JSON to a file");
    arguments.list("-o,--output", args->outputs, "type=KIND,dest=PATH",
                   "What to make: image, local, tar, oci or docker");
    arguments.list("--cache-from", args->cache_from, "CACHE", "A cache elsewhere; warned of and not used");
    arguments.list("--cache-to", args->cache_to, "CACHE", "A cache elsewhere; warned of and not used");
    arguments.flag("--check", args->check, "Look for mistakes in the Dockerfile and build nothing");
    arguments.value("--call", args->call, "METHOD", "build, or check: the same as --check");
    arguments.flag("--push", args->push, "Push it to the registries of its names");
    arguments.value("--builder", args->builder, "NAME", "Only default: builds run on this machine");
    arguments.value("--provenance", args->provenance, "BOOL", "Only false: no attestations are made");
    arguments.value("--sbom", args->sbom, "BOOL", "Only false: no attestations are made");
    arguments.flag("--rm", args->remove, "Containers of steps are always removed (default true)");
    arguments.flag("--force-rm", args->force_remove, "The same");
    arguments.refuse("--annotation", "its manifest is made when it is pushed; use --label");
    arguments.refuse("--attest", "no attestations are made");
    arguments.refuse(
        "--cgroup-parent,-m,--memory,--memory-swap,--cpu-period,--cpu-quota,-c,--cpu-shares,--cpuset-cpus,"
        "--cpuset-mems",
        "limits of steps are those of --ulimit and --shm-size");
    arguments.refuse("--compress", "the context is read where it lies");
    arguments.refuse("--isolation", "it is for Windows");
    arguments.refuse("--policy", "there are no policies for sources but --allow");
    arguments.refuse("--security-opt", "a step can have --security=insecure with --allow security.insecure");
    arguments.refuse("--squash", "write the steps as one RUN, or copy from a stage");
    arguments.example("compose image build -t shop/web .", "build the Dockerfile of this folder");
    arguments.example("compose image build --target test --build-arg V=2 .", "one stage of it");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
