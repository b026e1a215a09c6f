#include "plan/images.hpp"

#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"

namespace compose {

namespace {

constexpr std::chrono::hours kDay{24};

enum class Wish { always, missing, never, build };

/// What the policy asks for, seen from now.
Wish wish_of(const Service& service, const KnownImage* known, const ImagePolicy& options, std::string& cause) {
    std::string policy = options.pull.empty() ? service.pull_policy : options.pull;
    if (policy.empty()) policy = "missing";
    cause = (options.pull.empty() ? "pull_policy: " : "--pull ") + policy;
    if (policy == "always") return Wish::always;
    if (policy == "never") return Wish::never;
    if (policy == "build") return Wish::build;
    if (policy == "missing" || policy == "if_not_present") {
        cause = "not here";
        return Wish::missing;
    }
    const auto window = refresh_window(policy, service.pull_refresh_after);
    if (!window)
        throw make_error(ErrorKind::invalid, "services.{}.pull_policy: {} is no policy", service.name, quote(policy))
            .with_hint("use always, never, missing, build, daily, weekly or every_<duration>");
    if (known == nullptr) {
        cause = "not here";
        return Wish::missing;
    }
    return options.now - known->pulled_at >= window->count() ? Wish::always : Wish::missing;
}

/// The action for one service; nothing when its image is fine as it is.
std::optional<ImageAction> decide(const Project& project, const Service& service, const KnownImage* known,
                                  const ImagePolicy& options) {
    ImageAction action;
    action.service = service.name;
    action.image = service.image;
    action.platform = service.platform;
    const Wish wish = wish_of(service, known, options, action.cause);
    const bool buildable = service.build.has_value();
    const auto build = [&](const char* cause) {
        action.kind = ImageAction::Kind::build;
        action.cause = cause;
        return std::optional(action);
    };
    if (buildable && !options.no_build) {
        if (options.build) return build("--build");
        if (wish == Wish::build) return build("pull_policy: build");
    }
    // A name that nobody wrote can be in no registry, and what is there under it is somebody else's.
    const bool nameless = buildable && service.image == project.name + "-" + service.name;
    if (nameless) return known != nullptr || options.no_build ? std::nullopt : build("not here");
    if (wish == Wish::build || wish == Wish::never) {
        if (known == nullptr && buildable && !options.no_build) return build("not here");
        return std::nullopt;  // whether it must be here is the planner's question
    }
    if (wish == Wish::missing) {
        if (known != nullptr) return std::nullopt;
        if (!buildable) return action;
        if (options.no_build) return action;
        action.build_when_missing = true;
        return action;
    }
    action.optional = known != nullptr && buildable;
    action.build_when_missing = buildable && !options.no_build && known == nullptr;
    return action;
}

}  // namespace

std::optional<std::chrono::nanoseconds> refresh_window(const std::string& policy, const std::string& refresh_after) {
    if (policy == "daily") return kDay;
    if (policy == "weekly") return 7 * kDay;
    std::string text;
    if (policy == "refresh")
        text = refresh_after.empty() ? "24h" : refresh_after;
    else if (policy.starts_with("every_"))
        text = policy.substr(6);
    else
        return std::nullopt;
    const auto window = parse_window(text);
    if (!window) throw make_error(ErrorKind::invalid, "pull_policy: {} is no duration", quote(text));
    return window;
}

std::string to_string(const ImageAction& action) {
    const char* verb = action.kind == ImageAction::Kind::pull ? "PullImage" : "BuildImage";
    return std::string(verb) + " " + action.image + " [" + action.cause + "]";
}

std::vector<ImageAction> plan_images(const Project& project, const std::vector<std::string>& services,
                                     const std::map<std::string, KnownImage>& known, const ImagePolicy& policy) {
    std::vector<ImageAction> out;
    std::set<std::string> seen;
    const std::set<std::string> wanted(services.begin(), services.end());
    // Services that build come first: another may use what they make.
    for (const bool building : {true, false})
        for (const auto& [name, service] : project.services) {
            if (service.build.has_value() != building || service.image.empty() || service.provider) continue;
            if (!wanted.empty() && !wanted.contains(name)) continue;
            if (!seen.insert(service.image).second && !building) continue;
            const auto found = known.find(service.image);
            auto action = decide(project, service, found == known.end() ? nullptr : &found->second, policy);
            if (action) out.push_back(std::move(*action));
        }
    return out;
}

}  // namespace compose
