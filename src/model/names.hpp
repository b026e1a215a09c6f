// How objects are named after their project.
#pragma once

#include <string>
#include <string_view>

namespace compose {

/// Of a network, volume, secret or config without a literal name.
[[nodiscard]] inline std::string resource_name(std::string_view project, std::string_view key) {
    return std::string(project) + "_" + std::string(key);
}

/// Of the image that a service without `image` builds.
[[nodiscard]] inline std::string built_image_name(std::string_view project, std::string_view service) {
    return std::string(project) + "-" + std::string(service);
}

/// Of one replica's container.
[[nodiscard]] std::string container_name(std::string_view project, std::string_view service, int number);

/// Is it what a replacement is called until the container whose name it gets is gone? That is 12 digits of the old
/// one's id and the name to be.
[[nodiscard]] bool is_temporary_name(std::string_view name, std::string_view final_name);

}  // namespace compose
