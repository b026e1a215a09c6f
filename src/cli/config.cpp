#include <compose/config.hpp>
#include <compose/explain.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_digests.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    std::optional<std::string> format, output, hash, explain;
    bool quiet = false, list_services = false, volumes = false, networks = false, models = false, images = false;
    bool profiles = false, variables = false, environment = false;
    bool no_interpolate = false, no_normalize = false, no_path_resolution = false, no_consistency = false;
    bool no_env_resolution = false, resolve_digests = false, lock_digests = false;
};

std::string lines(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += name + "\n";
    return out;
}

std::string render_hashes(const LoadedProject& loaded, const std::string& selector) {
    std::string out;
    for (const auto& [service, hash] : config_hashes(loaded, selector)) out += service + " " + hash + "\n";
    return out;
}

std::string render_reasons(const std::string& path, const LoadedProject& loaded, const SourceMap& sources,
                           ConfigFormat format) {
    const auto explanation = explain(loaded, sources, path);
    return format == ConfigFormat::json ? render_explanation_json(explanation, sources)
                                        : render_explanation(explanation, sources);
}

std::string render(const Args& args, const LoadedProject& loaded, ConfigFormat format) {
    if (args.list_services) return lines(config_services(loaded));
    if (args.volumes) return lines(config_volumes(loaded));
    if (args.networks) return lines(config_networks(loaded));
    if (args.models) return lines(config_models(loaded));
    if (args.images) return lines(config_images(loaded));
    if (args.profiles) return lines(config_profiles(loaded));
    if (args.environment) return lines(config_environment(loaded));
    if (args.hash) return render_hashes(loaded, *args.hash);
    if (args.variables) {
        const auto variables = config_variables(loaded);
        return args.format ? render_variables(variables, format) : render_variables(variables);
    }
    return render_config(loaded, format, !args.no_interpolate);
}

int run(Context& context, const Args& args) {
    const auto format = parse_config_format(args.format.value_or("yaml"));
    auto request = make_load_request(context);
    const bool as_written = args.no_interpolate || args.variables;
    if (as_written && !args.services.empty())
        context.warn("services named are not selected when variables are not replaced");
    else
        request.selected_services = args.services;
    if (args.hash && *args.hash != "*" && args.services.empty()) request.selected_services = split(*args.hash, ',');
    request.interpolate = !as_written;
    request.normalize = !args.no_normalize;
    request.resolve_paths = !args.no_path_resolution;
    request.consistency = !args.no_consistency;
    request.hashes = false;  // --hash makes those it prints
    request.trace = args.explain.has_value();
    // Lists of names need no env_file, so a missing one is no reason to print nothing.
    const bool names_only = args.list_services || args.volumes || args.networks || args.models || args.images ||
                            args.profiles || args.environment;
    request.resolve_environment = !args.no_env_resolution && !names_only;
    // All of them have to be named, also those that are off.
    if (args.profiles) request.profiles = {"*"};

    Diagnostics findings;
    auto loaded = load(context, request, findings, format == ConfigFormat::json);
    if (args.quiet) return 0;
    if (args.resolve_digests || args.lock_digests) loaded = with_digests(context, loaded);
    if (args.lock_digests) loaded = only_images(loaded);
    const auto text =
        args.explain ? render_reasons(*args.explain, loaded, findings.sources, format) : render(args, loaded, format);
    if (args.output)
        sys::write_file(*args.output, text);
    else
        print(text);
    return 0;
}

}  // namespace

Run define_config(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Shows the file as the engine sees it: merged, variables replaced, short forms written out, defaults filled "
        "in.\n"
        "What it prints can be read again. Needs no root rights and changes nothing.");
    arguments.rest("SERVICE", args->services);
    arguments.value("--format", args->format, "FORMAT", "yaml or json; json gives findings as JSON, too");
    arguments.value("-o,--output", args->output, "FILE", "Write to a file");
    arguments.flag("-q,--quiet", args->quiet, "Only check; print nothing but findings");
    arguments.flag("--services", args->list_services, "Names of services, one a line");
    arguments.flag("--volumes", args->volumes, "Names of volumes");
    arguments.flag("--networks", args->networks, "Names of networks");
    arguments.flag("--models", args->models, "Names of models");
    arguments.flag("--images", args->images, "Images");
    arguments.flag("--profiles", args->profiles, "Names of profiles");
    arguments.value("--hash", args->hash, "SERVICES", "Hash of each service's configuration; '*' for all");
    arguments.flag("--variables", args->variables, "Variables that the file uses, and their defaults");
    arguments.flag("--environment", args->environment, "Variables and values as they are replaced");
    arguments.value("--explain", args->explain, "PATH",
                    "Where a value comes from: files, extends, variables, defaults");
    arguments.flag("--resolve-image-digests", args->resolve_digests, "Images with their digests: name:tag@sha256:...");
    arguments.flag("--lock-image-digests", args->lock_digests, "Only the images with their digests: an override file");
    arguments.flag("--no-interpolate", args->no_interpolate, "Keep ${...} as written");
    arguments.flag("--no-normalize", args->no_normalize, "Do not fill in defaults");
    arguments.flag("--no-path-resolution", args->no_path_resolution, "Keep relative paths");
    arguments.flag("--no-consistency", args->no_consistency, "Do not check references");
    arguments.flag("--no-env-resolution", args->no_env_resolution, "Do not read the services' env_file");
    arguments.example("compose config -q", "is the file right?");
    arguments.example("compose config --lock-image-digests > compose.lock.yaml", "the versions of today, for later");
    arguments.example("compose -f a.yaml -f b.yaml config", "what two files make together");
    arguments.example("compose config --explain web.environment.LOG_LEVEL", "which files and variables made it");
    return [args](Context& context) { return run(context, *args); };
}

Run define_schema(Arguments& arguments) {
    arguments.text("For editors: point their YAML support at it, and they complete and check Compose files.");
    arguments.example("compose schema > compose.schema.json", "keep it in a file");
    return [](Context&) {
        print(compose_schema());
        return 0;
    };
}

}  // namespace compose::cli
