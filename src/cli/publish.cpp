// `compose publish`: what others will see is shown first, and asked about.
#include <compose/config.hpp>
#include <compose/publication.hpp>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_digests.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/question.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string repository;
    std::string oci_version;
    bool app = false, digests = false, variables = false, yes = false, insecure = false;
};

using Kind = PublicationConcern::Kind;

struct Question {
    std::vector<Kind> about;
    const char* heading;
    const char* asked;
};

const std::vector<Question>& questions() {
    static const std::vector<Question> all{
        {{Kind::bind_mount},
         "you are about to publish bind mounts declaration within your OCI artifact.\n"
         "only the bind mount declarations will be added to the OCI artifact (not content)\n"
         "please double check that you are not mounting potential user's sensitive directories or data",
         "Are you ok to publish these bind mount declarations?"},
        {{Kind::secret},
         "you are about to publish sensitive data within your OCI artifact.\n"
         "please double check that you are not leaking sensitive data",
         "Are you ok to publish these sensitive data?"},
        {{Kind::env_file, Kind::literal},
         "you are about to publish env-related declarations within your OCI artifact.\n"
         "Use --with-env to silence this prompt, and to publish the env files too.",
         "Are you ok to publish these env declarations?"},
        {{Kind::config_content},
         "you are about to publish literal inline config content within your OCI artifact.",
         "Are you ok to publish these config contents?"},
    };
    return all;
}

std::string line_of(const PublicationConcern& concern) {
    const auto service = concern.place.starts_with("services.") ? quote(concern.place.substr(9)) : concern.place;
    switch (concern.kind) {
        case Kind::env_file:
            return fmt::format("  service {}: env_file declared ({})\n", service, concern.text);
        case Kind::literal:
            return fmt::format("  service {}: literal value for {}\n", service, quote(concern.text));
        case Kind::bind_mount:
            return fmt::format("  service {}: {}\n", service, concern.text);
        case Kind::secret:
            return fmt::format("  {}: {}\n", concern.place, concern.text);
        case Kind::config_content:
        case Kind::left_behind:
            break;
    }
    return fmt::format("  {}\n", concern.place);
}

/// False: somebody has thought better of it.
bool accepted(const Args& args, const Publication& publication) {
    for (const auto& question : questions()) {
        std::string text;
        for (const auto& concern : publication.concerns) {
            if (std::find(question.about.begin(), question.about.end(), concern.kind) == question.about.end()) continue;
            if (args.variables && (concern.kind == Kind::env_file || concern.kind == Kind::literal)) continue;
            text += line_of(concern);
        }
        if (text.empty()) continue;
        print_error(fmt::format("{}\n{}", question.heading, text));
        if (!args.yes && !ask(question.asked, false)) return false;
    }
    return true;
}

void warn_of_missing(Context& context, const Publication& publication) {
    for (const auto& concern : publication.concerns)
        if (concern.kind == Kind::left_behind)
            context.warn(fmt::format("{} needs the file {}, which is not published", concern.place, concern.text),
                         "whoever runs the project has to have one");
}

std::vector<std::string> images_of(const Project& project) {
    std::set<std::string> out;
    for (const auto& [name, service] : project.services)
        if (!service.provider && !service.image.empty()) out.insert(service.image);
    return {out.begin(), out.end()};
}

PublishOptions options_of(const Context& context, const Args& args, const LoadedProject& loaded) {
    PublishOptions out;
    out.reference = args.repository;
    out.oci_version = args.oci_version;
    out.environment = context.registry_environment();
    if (args.insecure) {
        auto& list = out.environment["COMPOSE_INSECURE_REGISTRIES"];
        list += (list.empty() ? "" : ",") + args.repository.substr(0, args.repository.find('/'));
    }
    if (args.app) out.images = images_of(loaded.project);
    return out;
}

int run(Context& context, const Args& args) {
    auto request = make_load_request(context);
    request.profiles = {"*"};
    Diagnostics findings;
    const auto loaded = load_project(request, context.files(), findings);
    Publication publication;
    if (!findings.has_errors())
        publication = make_publication(loaded, request, args.variables, context.files(), findings);
    print_findings(context, findings.sorted(), findings.sources);
    if (findings.has_errors()) return 1;
    check_publish_options(options_of(context, args, loaded));
    if (!accepted(args, publication)) {
        print_error("\ncanceled: nothing was published (--yes answers yes to every question)\n");
        return kDeclined;
    }
    warn_of_missing(context, publication);
    if (context.only_say(args.repository, "publishing")) {
        (void)context.only_say(args.repository, "published");
        return 0;
    }
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        // A failure of one of them is told, and what others can't have they will hear of.
        context.images("publish").push_services(loaded.project, {.services = {}, .ignore_failures = true}, cancel);
        if (args.digests)
            publication.files.push_back(
                {PublishedFile::Kind::compose, "image-digests.yaml",
                 render_config(only_images(with_digests(context, loaded)), ConfigFormat::yaml)});
        (void)publish_project(publication.files, options_of(context, args, loaded), context.engine_options(),
                              context.progress("publish"), cancel);
        return 0;
    });
}

}  // namespace

Run define_publish(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Puts the project's files into a registry, from where 'compose -f oci://REPOSITORY[:TAG] up' runs it. Images\n"
        "that are built here are pushed first. What should not leave this machine is shown and asked about.");
    arguments.required("REPOSITORY[:TAG]", args->repository);
    arguments.flag("--app", args->app, "Copy the services' images to the repository too");
    arguments.value("--oci-version", args->oci_version, "VERSION",
                    "Form of the artifact: 1.0 or 1.1 (default: 1.1 where the registry takes it)");
    arguments.flag("--resolve-image-digests", args->digests, "Pin the images to the digests of today");
    arguments.flag("--with-env", args->variables, "Publish env files too, and don't ask about variables");
    arguments.flag("-y,--yes", args->yes, "Answer yes to all questions");
    arguments.flag("--insecure-registry", args->insecure,
                   "Speak to the registry without TLS, or don't check its certificate");
    arguments.example("compose publish registry.example.com/team/shop:1", "for others: compose -f oci://... up");
    arguments.example("compose publish --resolve-image-digests -y team/shop", "exactly these images, no questions");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
