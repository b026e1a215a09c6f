#include <algorithm>
#include <compose/build.hpp>
#include <compose/images.hpp>

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
#include "engine/build_service.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services, args, ssh;
    std::string memory, progress, builder, provenance, sbom;
    bool check = false, no_cache = false, pull = false, quiet = false, print = false, with_dependencies = false;
    bool push = false;
};

/// What Docker's builders can do and this one can't.
void check_flags(const Args& args) {
    if (!args.builder.empty() && args.builder != "default")
        throw make_error(ErrorKind::usage, "there is no builder {}", quote(args.builder))
            .with_hint("builds run on this machine, there are no builders to choose from: leave out --builder");
    for (const auto& [flag, value] : {std::pair("--provenance", args.provenance), std::pair("--sbom", args.sbom)})
        if (!value.empty() && value != "false" && value != "0")
            throw make_error(ErrorKind::usage, "{} {}: no attestations are made", flag, quote(value))
                .with_hint(fmt::format("leave out {}, or say {}=false", flag, flag));
}

/// The services named, or all; those without a build are no error unless they alone were named.
std::vector<std::string> chosen(const Project& project, const Args& args) {
    std::vector<std::string> todo = args.services, out;
    if (todo.empty())
        for (const auto& [name, service] : project.services) todo.push_back(name);
    for (std::size_t i = 0; i < todo.size(); ++i) {
        const auto& service = project.services.at(todo[i]);
        if (std::find(out.begin(), out.end(), service.name) != out.end()) continue;
        out.push_back(service.name);
        if (!args.with_dependencies) continue;
        for (const auto& dependency : service.depends_on)
            if (project.services.contains(dependency.service)) todo.push_back(dependency.service);
    }
    std::erase_if(out, [&](const std::string& name) { return !project.services.at(name).build; });
    return engine::build_order(project, out);
}

BuildRequest make_request(const Context& context, const Args& args, const Project& project, const std::string& name) {
    auto request = engine::build_request_of(project, project.services.at(name));
    request.no_cache = request.no_cache || args.no_cache;
    request.pull = request.pull || args.pull;
    if (!args.memory.empty()) {
        request.memory = parse_bytes(args.memory);
        if (!request.memory) throw make_error(ErrorKind::usage, "--memory {} is not a size", quote(args.memory));
    }
    add_build_args(context, args.args, request);
    add_ssh(context, args.ssh, request);
    return request;
}

std::string bake_text(const std::vector<BuildRequest>& requests) {
    json::object targets;
    json::array group;
    for (const auto& request : requests) {
        json::object target{{"context", request.context}};
        if (request.dockerfile_text)
            target["dockerfile-inline"] = *request.dockerfile_text;
        else
            target["dockerfile"] = request.dockerfile.empty() ? "Dockerfile" : request.dockerfile;
        json::object args, labels, contexts;
        for (const auto& [key, value] : request.args) args[key] = value;
        for (const auto& [key, value] : request.labels) labels[key] = value;
        for (const auto& [key, value] : request.contexts) contexts[key] = value;
        if (!args.empty()) target["args"] = args;
        if (!labels.empty()) target["labels"] = labels;
        if (!contexts.empty()) target["contexts"] = contexts;
        if (!request.target.empty()) target["target"] = request.target;
        if (request.no_cache) target["no-cache"] = true;
        if (request.pull) target["pull"] = true;
        target["tags"] = json::array(request.tags.begin(), request.tags.end());
        target["output"] = json::array{"type=docker"};
        targets[request.name] = std::move(target);
        group.emplace_back(request.name);
    }
    return json::serialize(json::object{{"group", {{"default", {{"targets", group}}}}}, {"target", targets}}) + "\n";
}

int check_all(const Context& context, const std::vector<BuildRequest>& requests) {
    int status = 0;
    for (const auto& request : requests) {
        Diagnostics findings;
        check_build(context.engine_options(), request, findings);
        print_findings(context, findings.sorted(), findings.sources);
        if (!findings.sorted().empty()) status = 1;
    }
    return status;
}

int run(Context& context, const Args& args) {
    check_flags(args);
    Diagnostics loading;
    const auto loaded = load_for_running(context, args.services, loading);
    const auto names = chosen(loaded.project, args);
    if (names.empty()) {
        context.warn("no service has a build");
        return 0;
    }
    std::vector<BuildRequest> requests;
    for (const auto& name : names) requests.push_back(make_request(context, args, loaded.project, name));
    if (args.print) {
        print(bake_text(requests));
        return 0;
    }
    if (args.check) return check_all(context, requests);
    if (context.globals.dry_run) {
        for (const auto& request : requests) (void)context.only_say("Image " + request.tags.front(), "Built");
        return 0;
    }
    const auto mode = args.quiet ? BuildProgressMode::quiet : build_progress_mode(context, args.progress);
    const auto progress = make_build_progress(context, mode);
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        for (const auto& request : requests) {
            Diagnostics findings;
            try {
                const auto result = build_image(context.engine_options(), request, findings, *progress, cancel);
                if (!args.quiet) {
                    if (!findings.sorted().empty() || !result.unused_args.empty()) progress->finish();
                    report_build_warnings(context, findings, result);
                }
            } catch (const BuildFailure& failure) {
                progress->finish();
                if (cancel.stop_requested()) throw Error("the build was given up").with_exit_code(130);
                return report_build_failure(context, failure, findings);
            }
        }
        progress->finish();
        for (const auto& request : requests)
            if (!args.quiet && mode != BuildProgressMode::json)
                print_error(fmt::format(" Image {} Built\n", request.tags.front()));
        if (args.push)
            context.images("push").push_services(loaded.project, {.services = names, .quiet = args.quiet}, cancel);
        return 0;
    });
}

}  // namespace

Run define_build(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Builds the images of services that have a build, all or those named, and gives them their names.");
    arguments.rest("SERVICE", args->services);
    arguments.list("--build-arg", args->args, "NAME=VALUE", "Value of an ARG, for all services");
    arguments.value("--builder", args->builder, "NAME", "Only default: builds run on this machine");
    arguments.flag("--check", args->check, "Look for mistakes in the Dockerfiles and build nothing");
    arguments.value("-m,--memory", args->memory, "SIZE", "Memory that a step may use");
    arguments.flag("--no-cache", args->no_cache, "Carry out every step anew");
    arguments.flag("--print", args->print, "Print what would be built as a bake file, and build nothing");
    arguments.value("--provenance", args->provenance, "BOOL", "Only false: no attestations are made");
    arguments.flag("--pull", args->pull, "Ask the registry for newer base images");
    arguments.flag("--push", args->push, "Push what was built, of services with an image");
    arguments.flag("-q,--quiet", args->quiet, "Say nothing unless it fails");
    arguments.value("--sbom", args->sbom, "BOOL", "Only false: no attestations are made");
    arguments.list("--ssh", args->ssh, "ID[=SOCKET]", "An SSH agent for RUN --mount=type=ssh");
    arguments.flag("--with-dependencies", args->with_dependencies, "Build what the services depend on too");
    arguments.example("compose build", "build all images of the application");
    arguments.example("compose build --no-cache web", "build one, every step anew");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
