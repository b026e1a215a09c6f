#include <algorithm>
#include <compose/build.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/build_arguments.hpp"
#include "cli/build_progress.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/docker_settings.hpp"
#include "cli/flag_values.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string context, file, target, platform, progress, network, shm_size, memory, iid_file, metadata_file, builder,
        provenance, sbom, call = "build", cgroup_parent;
    std::vector<std::string> tags, args, contexts, no_cache_filter, secrets, ssh, labels, hosts, ulimits, outputs,
        allow, cache_from, cache_to, attestations;
    bool no_cache = false, pull = false, quiet = false, check = false, load = false, push = false, remove = true,
         force_remove = true;
};

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
        constexpr std::string_view kLayout = "oci-layout://";
        if (where.starts_with(kLayout))
            where = std::string(kLayout) + sys::absolute_path(where.substr(kLayout.size()));
        else if (where.find("://") == std::string::npos && !where.starts_with("git@"))
            where = sys::absolute_path(where);
        request.contexts[text.substr(0, equals)] = where;
    }
    for (const auto& text : args.hosts) {
        const auto [name, address] = host_flag(text);
        request.extra_hosts[name].push_back(address);
    }
    for (const auto& text : args.ulimits) {
        const auto [name, limit] = ulimit_flag(text);
        request.ulimits[name] = {limit.soft, limit.hard};
    }
}

/// What is known, and can't be done, or is done whatever is said.
void check_unsupported(const Args& args) {
    check_builder(args.builder);
    check_attestation("--provenance", args.provenance);
    check_attestation("--sbom", args.sbom);
    for (const auto& text : args.attestations) {
        const auto fields = csv_fields("--attest", text);
        if (std::find(fields.begin(), fields.end(), "disabled=true") == fields.end())
            check_attestation("--attest", text);
    }
    if (!args.remove || !args.force_remove)
        throw Error("containers of steps are always removed", ErrorKind::usage).with_hint("leave --rm=false out");
    if (args.call != "build" && args.call != "check" && args.call != "lint")
        throw make_error(ErrorKind::usage, "invalid value {} for --call", quote(args.call))
            .with_hint("use build or check");
}

/// The tar or the Dockerfile that comes on standard input.
void check_input(const Args& args) {
    if (sys::is_terminal(sys::FdRef(0)))
        throw make_error(ErrorKind::usage, "the context is to come from the input, which is a terminal")
            .with_hint("name a folder: compose image build -t NAME .");
    if (args.context == "-" && args.file == "-")
        throw make_error(ErrorKind::usage, "context and Dockerfile can't both come from the input");
}

BuildRequest make_request(Context& context, const Args& args) {
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
        if (args.context.empty())
            throw Error("the context has no name", ErrorKind::usage).with_hint("name a folder: .");
        request.context = sys::absolute_path(args.context);
    }
    request.tags = args.tags;
    request.target = args.target;
    request.platform = args.platform;
    request.no_cache = args.no_cache;
    request.no_cache_filter = args.no_cache_filter;
    request.pull = args.pull;
    request.cache_from = args.cache_from;
    request.cache_to = args.cache_to;
    request.allow = args.allow;
    if (!args.network.empty() && args.network != "default" && args.network != "none" && args.network != "host")
        throw make_error(ErrorKind::usage, "invalid value {} for --network", quote(args.network))
            .with_hint("use default, none or host");
    request.network = args.network;
    if (!args.shm_size.empty()) request.shm_size = bytes_flag("--shm-size", args.shm_size);
    if (!args.memory.empty()) request.memory = bytes_flag("--memory", args.memory);
    request.cgroup_parent = args.cgroup_parent;
    request.push = args.push;
    add_lists(args, request);
    add_build_args(context, args.args, request);
    request.args.merge(proxy_settings(context));
    add_secrets(context, args.secrets, request);
    add_ssh(context, args.ssh, request);
    add_outputs(args.outputs, request);
    if (args.load && !request.outputs.empty()) request.outputs.push_back({.type = "image", .dest = ""});
    request.output_fd = 1;
    return request;
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
    if (!result.pushed_digest.empty()) out["containerimage.digest"] = result.pushed_digest;
    sys::write_file(args.metadata_file, json::serialize(out) + "\n", 0644);
}

int run(Context& context, const Args& args) {
    context.refuse_dry_run("image build");
    check_unsupported(args);
    const auto request = make_request(context, args);
    if (args.check || args.call != "build") return check_only(context, request);
    const auto mode = args.quiet ? BuildProgressMode::quiet : build_progress_mode(context, args.progress);
    const auto progress = make_build_progress(context, mode);
    Diagnostics findings;
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        try {
            const auto result = build_image(context.engine_options(), request, findings, *progress, cancel);
            progress->finish();
            write_results(args, result);
            if (!args.quiet) report_build_warnings(context, findings, result);
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
                   "A further context: a folder, an address, docker-image://NAME, oci-layout://FOLDER:TAG");
    arguments.value("--target", args->target, "STAGE", "Stage to build");
    arguments.value("--platform", args->platform, "OS/ARCH", "Platform; only this machine's can be built");
    arguments.flag("--no-cache", args->no_cache, "Carry out every step anew");
    arguments.list("--no-cache-filter", args->no_cache_filter, "STAGE", "Carry out the steps of this stage anew");
    arguments.flag("--pull", args->pull, "Ask the registry for newer base images");
    arguments.flag("-q,--quiet", args->quiet, "Print the image's id only");
    arguments.flag("--load", args->load, "Keep the image in the store even with other outputs");
    arguments.flag("--push", args->push, "Push the image under all its names; the same as --output type=registry");
    arguments.value("--progress", args->progress, "KIND", "Progress as auto, plain, tty, rawjson or quiet");
    arguments.list("--secret", args->secrets, "id=ID,src=FILE",
                   "A secret for RUN --mount=type=secret; or id=ID,env=VARIABLE");
    arguments.list("--ssh", args->ssh, "ID[=SOCKET]", "An SSH agent for RUN --mount=type=ssh");
    arguments.list("--label", args->labels, "KEY=VALUE", "Label of the image");
    arguments.value("--network", args->network, "MODE", "Network of RUN: default, none or host");
    arguments.list("--add-host", args->hosts, "HOST:ADDRESS", "A line for /etc/hosts during the build");
    arguments.value("--shm-size", args->shm_size, "SIZE", "Size of /dev/shm during the build");
    arguments.value("-m,--memory", args->memory, "SIZE", "Memory that a step may use");
    arguments.value("--cgroup-parent", args->cgroup_parent, "PATH", "The cgroup under which steps run");
    arguments.list("--ulimit", args->ulimits, "NAME=SOFT:HARD", "Limit of the steps' processes");
    arguments.list("--allow", args->allow, "WHAT",
                   "Allow security.insecure, network.host, device or device=NAME to the Dockerfile");
    arguments.value("--iidfile", args->iid_file, "FILE", "Write the image's id to a file");
    arguments.value("--metadata-file", args->metadata_file, "FILE", "Write the result as JSON to a file");
    arguments.list("-o,--output", args->outputs, "type=KIND,dest=PATH",
                   "What to make: image, registry, local, tar, oci or docker");
    arguments.list("--cache-from", args->cache_from, "NAME",
                   "An image whose build left its cache in it: type=registry,ref=NAME");
    arguments.list("--cache-to", args->cache_to, "type=KIND",
                   "Leave the cache in the image (inline) or in another (registry,ref=NAME)");
    arguments.flag("--check", args->check, "Look for mistakes in the Dockerfile and build nothing");
    arguments.value("--call", args->call, "METHOD", "build, or check: the same as --check");
    arguments.value("--builder", args->builder, "NAME", "Who builds; there is one, called default");
    arguments.value("--provenance", args->provenance, "BOOL", "Only false: no attestations are made");
    arguments.value("--sbom", args->sbom, "BOOL", "Only false: no attestations are made");
    arguments.list("--attest", args->attestations, "type=KIND,disabled=true",
                   "Only disabled: no attestations are made");
    arguments.flag("--rm", args->remove, "Containers of steps are always removed (default true)");
    arguments.flag("--force-rm", args->force_remove, "The same");
    arguments.refuse("--annotation", "its manifest is made when it is pushed; use --label");
    arguments.refuse("--memory-swap,--cpu-period,--cpu-quota,-c,--cpu-shares,--cpuset-cpus,--cpuset-mems",
                     "limits of steps are those of --memory, --ulimit and --shm-size");
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
