#include "engine/prepare_images.hpp"

#include <algorithm>
#include <atomic>
#include <compose/plan.hpp>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "engine/base_images.hpp"
#include "engine/build_service.hpp"
#include "engine/image_catalog.hpp"
#include "engine/silent_sink.hpp"
#include "sys/clock.hpp"
#include "sys/env.hpp"

namespace compose::engine {
namespace {

std::map<std::string, KnownImage> known_images(store::Store& store, const Project& project) {
    std::map<std::string, std::int64_t> pulled;
    for (const auto& name : store.image_names()) pulled[name.reference] = name.pulled_at;
    std::map<std::string, KnownImage> known;
    for (const auto& [name, service] : project.services) {
        if (service.image.empty() || known.contains(service.image)) continue;
        const auto image = find_image(store, service.image);
        if (!image) continue;
        KnownImage entry;
        if (!image::id_prefix(service.image)) {
            const auto reference = image::parse_reference(service.image);
            const auto found = pulled.find(reference.to_string());
            // A digest never means anything else later: what is here is as good as pulled now.
            entry.pulled_at = found != pulled.end() ? found->second : 0;
            if (!reference.digest.empty()) entry.pulled_at = sys::wall_now().time_since_epoch().count();
        }
        // An image for another machine is not the one that is wanted.
        if (!service.platform.empty() &&
            image::platform_match(platform_of(*image), image::parse_platform(service.platform)) == 0)
            continue;
        known.emplace(service.image, entry);
    }
    return known;
}

/// One worker's share of the pulls.
class Puller {
public:
    Puller(const store::Layout& layout, EventSink& events, const Project& project,
           const std::vector<ImageAction>& actions, const PrepareOptions& options, const std::stop_token& cancel)
        : layout_(layout), events_(events), project_(project), actions_(actions), options_(options), cancel_(cancel) {}

    void run(std::vector<ImageAction>& to_build) {
        {
            std::vector<std::jthread> threads;
            const auto count =
                std::min<std::size_t>(actions_.size(), static_cast<std::size_t>(std::max(options_.parallel, 1)));
            for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
        }
        for (auto& action : to_build_) to_build.push_back(std::move(action));
        if (failure_) std::rethrow_exception(failure_);
        if (!findings_.empty()) throw ProjectError(std::move(findings_), ErrorKind::generic);
    }

private:
    void work() {
        try {
            store::Store store(layout_);
            RegistryAccess access(sys::environment_snapshot(), cancel_);
            for (std::size_t i = 0; (i = next_++) < actions_.size();) pull(store, access, actions_[i]);
        } catch (...) {
            fail(std::current_exception());
        }
    }

    void pull(store::Store& store, RegistryAccess& access, const ImageAction& action) {
        const PullRequest request{.reference = image::parse_reference(action.image),
                                  .platform = action.platform,
                                  .show_layers = !options_.quiet,
                                  .failure_is_warning = action.optional || action.build_when_missing,
                                  .event_id = "Image " + action.image};
        try {
            if (options_.dry_run)
                pull_dry(events_, access, request);
            else
                (void)pull_into_store(store, events_, access, request);
        } catch (const Error& error) {
            if (cancel_.stop_requested()) throw;
            if (action.build_when_missing) {
                const std::lock_guard guard(mutex_);
                auto build = action;
                build.kind = ImageAction::Kind::build;
                build.cause = "can't be pulled";
                to_build_.push_back(std::move(build));
            } else if (!action.optional) {
                find(action, error);
            }
        }
    }

    /// All that can't be had is told, each with its place in the file.
    void find(const ImageAction& action, const Error& error) {
        const auto& service = project_.services.at(action.service);
        auto hint = error.hint();
        if (hint.empty()) hint = fmt::format("or bring it yourself: compose image import FILE {}", action.image);
        const std::lock_guard guard(mutex_);
        const auto side = service.name.find(" (");  // one that with_side_images() made
        const auto path = side == std::string::npos ? service.name + ".image" : service.name.substr(0, side);
        findings_.push_back({Severity::error, service.image_pos, "services." + path, error.what(), hint});
    }

    void fail(std::exception_ptr failure) {
        const std::lock_guard guard(mutex_);
        if (!failure_) failure_ = std::move(failure);
    }

    const store::Layout& layout_;
    EventSink& events_;
    const Project& project_;
    const std::vector<ImageAction>& actions_;
    const PrepareOptions& options_;
    const std::stop_token& cancel_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::vector<Diagnostic> findings_;
    std::vector<ImageAction> to_build_;
};

}  // namespace

namespace {

// Images that services mount, or prepare themselves with, are wanted as those that they run: each as a service of its
// own that is never made.
Project with_side_images(const Project& project, std::vector<std::string>& services) {
    Project result = project;
    for (const auto& [name, service] : project.services) {
        if (!services.empty() && std::find(services.begin(), services.end(), name) == services.end()) continue;
        std::vector<std::pair<std::string, SourcePos>> images;
        for (const Mount& mount : service.mounts)
            if (mount.type == Mount::Type::image)
                images.emplace_back(mount.source, mount.pos.known() ? mount.pos : service.pos);
        for (const Hook& hook : service.pre_start)
            if (!hook.image.empty()) images.emplace_back(hook.image, service.pos);
        for (const auto& [image, pos] : images) {
            Service side;
            side.name = name + " (" + image + ")";
            side.image = image;
            side.pos = side.image_pos = pos;
            if (result.services.emplace(side.name, side).second && !services.empty()) services.push_back(side.name);
        }
    }
    return result;
}

}  // namespace

std::vector<ImageAction> needed_images(store::Store& store, const Project& project, const PrepareOptions& options) {
    auto policy = options.policy;
    policy.now = sys::wall_now().time_since_epoch().count();
    auto services = options.services;
    const Project all = with_side_images(project, services);
    return plan_images(all, services, known_images(store, all), policy);
}

void run_pulls(const store::Layout& layout, EventSink& events, const Project& project,
               const std::vector<ImageAction>& actions, const PrepareOptions& options, const std::stop_token& cancel,
               std::vector<ImageAction>& to_build) {
    if (!actions.empty()) Puller(layout, events, project, actions, options, cancel).run(to_build);
}

std::set<std::string> prepare_images(store::Store& store, EventSink& events, const Project& project,
                                     const PrepareOptions& options, const std::stop_token& cancel) {
    std::vector<ImageAction> pulls;
    std::vector<ImageAction> builds;
    std::set<std::string> images;
    for (auto& action : needed_images(store, project, options)) {
        images.insert(action.image);
        (action.kind == ImageAction::Kind::pull ? pulls : builds).push_back(std::move(action));
    }
    auto wanted = options.services;
    run_pulls(store.layout(), events, with_side_images(project, wanted), pulls, options, cancel, builds);
    SilentSink silent;
    std::vector<std::string> services;
    for (const auto& action : builds) services.push_back(action.service);
    EventSink& shown = options.quiet_build ? static_cast<EventSink&>(silent) : events;
    if (options.dry_run)
        tell_service_builds(shown, project, services);
    else
        build_service_images(store.layout(), shown, project, services, options.parallel, cancel);
    return images;
}

}  // namespace compose::engine
