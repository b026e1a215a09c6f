#include <algorithm>
#include <compose/build.hpp>
#include <mutex>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/bake.hpp"
#include "cli/build_arguments.hpp"
#include "cli/build_progress.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "engine/build_service.hpp"
#include "engine/task_graph.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services, args, ssh;
    std::string memory, builder, provenance, sbom;
    bool check = false, no_cache = false, pull = false, push = false, quiet = false, print = false,
         with_dependencies = false;
};

/// The services named, or all; those without a build are no error unless they alone were named.
engine::ServiceBuilds chosen(const Project& project, const Args& args) {
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
    return engine::plan_builds(project, out);
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
    // A name that is only this project's is nobody else's.
    request.push = args.push && request.tags.front() != project.name + "-" + name;
    return request;
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

/// All builds, those that don't need each other at once; what is wrong with one is told as soon as all have ended.
class Builds {
public:
    Builds(const Context& context, const std::vector<BuildRequest>& requests, BuildProgress& progress, bool quiet)
        : context_(context), requests_(requests), progress_(progress), quiet_(quiet), findings_(requests.size()) {}

    int run(const std::vector<std::vector<std::size_t>>& needs, const std::stop_token& cancel) {
        std::stop_source stop;
        const std::stop_callback on_cancel(cancel, [&] { stop.request_stop(); });
        try {
            engine::run_tasks(needs, context_.engine_options().parallel, stop,
                              [&](std::size_t i) { build(i, stop.get_token()); });
        } catch (const BuildFailure& failure) {
            progress_.finish();
            if (cancel.stop_requested()) throw Error("the build was given up").with_exit_code(130);
            if (requests_.size() > 1)
                print_error(fmt::format("the build of {} failed\n", quote(requests_[*failed_].name)));
            return report_build_failure(context_, failure, findings_[*failed_]);
        }
        progress_.finish();
        return 0;
    }

private:
    void build(std::size_t i, const std::stop_token& cancel) {
        try {
            const auto result = in_context(
                [&] { return "build " + requests_[i].name; },
                [&] { return build_image(context_.engine_options(), requests_[i], findings_[i], progress_, cancel); });
            if (quiet_) return;
            const std::lock_guard lock(mutex_);
            if (!findings_[i].sorted().empty() || !result.unused_args.empty())
                progress_.interrupt([&] { report_build_warnings(context_, findings_[i], result); });
        } catch (const BuildFailure&) {
            const std::lock_guard lock(mutex_);
            if (!failed_) failed_ = i;
            throw;
        }
    }

    const Context& context_;
    const std::vector<BuildRequest>& requests_;
    BuildProgress& progress_;
    const bool quiet_;
    std::vector<Diagnostics> findings_;
    std::mutex mutex_;
    std::optional<std::size_t> failed_;
};

/// Before and after the steps, which have a renderer of their own.
void tell(const Context& context, BuildProgressMode mode, const BuildRequest& request, Event::Status status,
          const char* text) {
    const Event event{status, "Image " + request.tags.front(), text, {}, 0, 0};
    if (mode != BuildProgressMode::quiet)
        print_progress(context.variable_is_true("COMPOSE_STATUS_STDOUT"),
                       mode == BuildProgressMode::json ? render_json(event, {}) : render_plain(event, {}));
}

/// What a dry run would do.
void tell_steps(Context& context, const BuildRequest& request) {
    const auto nothing = [] {};
    context.say_and_do("Image " + request.tags.front(), "Building", "Built", nothing);
    if (request.push) context.say_and_do("Image " + request.tags.front(), "Pushing", "Pushed", nothing);
}

int run(Context& context, const Args& args) {
    check_builder(args.builder);
    check_attestation("--provenance", args.provenance);
    check_attestation("--sbom", args.sbom);
    Diagnostics loading;
    const auto loaded = load_for_running(context, args.services, loading);
    const auto builds = chosen(loaded.project, args);
    if (builds.services.empty()) {
        context.warn("no service has a build");
        return 0;
    }
    std::vector<BuildRequest> requests;
    for (const auto& name : builds.services) requests.push_back(make_request(context, args, loaded.project, name));
    if (args.print) {
        print(bake_text(requests));
        return 0;
    }
    if (args.check) return check_all(context, requests);
    if (context.globals.dry_run) {
        for (const auto& request : requests) tell_steps(context, request);
        return 0;
    }
    const auto mode = args.quiet ? BuildProgressMode::quiet : build_progress_mode(context, {});
    for (const auto& request : requests) tell(context, mode, request, Event::Status::working, "Building");
    const auto progress = make_build_progress(context, mode);
    const int status = run_interruptible(context, [&](const std::stop_token& cancel) {
        return Builds(context, requests, *progress, args.quiet).run(builds.needs, cancel);
    });
    if (status == 0)
        for (const auto& request : requests)
            tell(context, mode, request, Event::Status::done, request.push ? "Pushed" : "Built");
    return status;
}

}  // namespace

Run define_build(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Builds the images of services that have a build, all or those named, and gives them their names.");
    arguments.rest("SERVICE", args->services);
    arguments.list("--build-arg", args->args, "NAME=VALUE", "Value of an ARG, for all services");
    arguments.value("--builder", args->builder, "NAME", "Who builds; there is one, called default");
    arguments.flag("--check", args->check, "Look for mistakes in the Dockerfiles and build nothing");
    arguments.value("-m,--memory", args->memory, "SIZE", "Memory that a step may use");
    arguments.flag("--no-cache", args->no_cache, "Carry out every step anew");
    arguments.flag("--print", args->print, "Print what would be built as a bake file, and build nothing");
    arguments.value("--provenance", args->provenance, "BOOL", "Attestation of the origin; only false can be done");
    arguments.flag("--pull", args->pull, "Ask the registry for newer base images");
    arguments.flag("--push", args->push, "Push the images of services that have a name for it");
    arguments.flag("-q,--quiet", args->quiet, "Say nothing unless it fails");
    arguments.value("--sbom", args->sbom, "BOOL", "Attestation of the contents; only false can be done");
    arguments.list("--ssh", args->ssh, "ID[=SOCKET]", "An SSH agent for RUN --mount=type=ssh");
    arguments.flag("--with-dependencies", args->with_dependencies, "Build what the services depend on too");
    arguments.without_effect("--compress", "nothing is sent anywhere: the context is read where it lies");
    arguments.without_effect("--force-rm,--no-rm", "what a step ran in never outlives it");
    arguments.without_effect("--parallel",
                             "builds that do not need each other run at once; --parallel N before the "
                             "command limits how many");
    arguments.example("compose build", "build all images of the application");
    arguments.example("compose build --no-cache web", "build one, every step anew");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
