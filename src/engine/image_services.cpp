// Pulling the images of a project's services.
#include <compose/images.hpp>
#include <compose/plan.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/images_impl.hpp"
#include "engine/prepare_images.hpp"
#include "image/reference.hpp"
#include "model/names.hpp"

namespace compose {

namespace {

std::vector<std::string> chosen(const Project& project, const std::vector<std::string>& services, bool include_deps) {
    if (include_deps || services.empty()) return with_dependencies(project, services);
    return services;
}

bool follows_latest(const std::string& image) {
    if (image::id_prefix(image)) return false;
    const auto name = image::parse_reference(image);
    return name.digest.empty() && name.tag == "latest";
}

}  // namespace

void Images::prepare(const Project& project, const std::vector<std::string>& services, std::stop_token cancel) {
    auto store = impl_->open();
    (void)engine::prepare_images(
        store, impl_->events, project,
        {.services = with_dependencies(project, services), .policy = {}, .parallel = impl_->options.parallel}, cancel);
}

void Images::pull_services(const Project& project, const PullServicesOptions& options, std::stop_token cancel) {
    auto store = impl_->open();
    const auto names = chosen(project, options.services, options.include_deps);
    engine::PrepareOptions wishes{.services = names, .policy = {}};
    wishes.policy.pull = options.policy.empty() ? "always" : options.policy;
    std::vector<ImageAction> actions;
    for (auto& action : engine::needed_images(store, project, wishes))
        if (action.kind == ImageAction::Kind::pull) actions.push_back(std::move(action));
    const auto skip = [&](const std::string& name, const char* why) {
        impl_->events.on_event({Event::Status::done, name, "Skipped", why, 0, 0});
    };
    std::vector<ImageAction> wanted;
    for (const auto& name : names) {
        const auto& service = project.services.at(name);
        if (service.image.empty() || service.provider ||
            (service.build && service.image == built_image_name(project.name, name))) {
            skip(name, "No image to be pulled");
            continue;
        }
        const bool buildable = service.build.has_value();
        if (buildable && options.ignore_buildable) {
            skip(name, "Image can be built");
            continue;
        }
        if (options.policy.empty() && (service.pull_policy == "never" || service.pull_policy == "build")) {
            skip(name, "The pull policy says so");
            continue;
        }
        auto found = std::find_if(actions.begin(), actions.end(),
                                  [&](const ImageAction& action) { return action.image == service.image; });
        if (found == actions.end()) {
            if (options.policy != "missing") continue;  // another service of the same image comes first
            if (!follows_latest(service.image)) {
                skip("Image " + service.image, "Image is already present locally");
                continue;
            }
            ImageAction action;
            action.service = name;
            action.image = service.image;
            action.platform = service.platform;
            action.optional = buildable;
            wanted.push_back(std::move(action));
            continue;
        }
        // A failure is one unless the image can be built instead.
        found->build_when_missing = false;
        found->optional = buildable || options.ignore_failures;
        wanted.push_back(*found);
        actions.erase(found);
    }
    std::vector<ImageAction> builds;
    wishes.quiet = options.quiet;
    wishes.parallel = impl_->options.dry_run ? 1 : impl_->options.parallel;
    wishes.dry_run = impl_->options.dry_run;
    engine::run_pulls(impl_->layout, impl_->events, project, wanted, wishes, cancel, builds);
}

}  // namespace compose
