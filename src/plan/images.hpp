// Which images have to be fetched or built before containers can be made. Pure.
#pragma once

#include <chrono>
#include <compose/project.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose {

/// An image that is here, by the reference that services write.
struct KnownImage {
    std::int64_t pulled_at = 0;  // nanoseconds since 1970; 0: never
    bool built_here = false;     // made for a service's `build`
};

struct ImagePolicy {
    std::string pull;       // --pull: empty, always, missing, never, build
    bool build = false;     // --build
    bool no_build = false;  // --no-build
    std::int64_t now = 0;   // nanoseconds since 1970
};

struct ImageAction {
    enum class Kind { pull, build };
    Kind kind = Kind::pull;
    std::string service;  // the first one that wants it
    std::string image;
    std::string platform;
    /// A pull that fails is no failure: the image is here, or can be built.
    bool optional = false;
    bool build_when_missing = false;  // a pull that fails is followed by a build
    std::string cause;                // "not here", "pull_policy: always", ...
};

/// One action an image, in the order of the services' names. Throws Error(invalid) for a policy that can't be.
[[nodiscard]] std::vector<ImageAction> plan_images(const Project& project, const std::vector<std::string>& services,
                                                   const std::map<std::string, KnownImage>& known,
                                                   const ImagePolicy& policy);

/// "every_12h", "daily", "weekly" as a time; nothing for policies that aren't a window. Throws Error(invalid).
[[nodiscard]] std::optional<std::chrono::nanoseconds> refresh_window(const std::string& policy,
                                                                     const std::string& refresh_after);

/// "PullImage debian [not here]"
[[nodiscard]] std::string to_string(const ImageAction& action);

}  // namespace compose
