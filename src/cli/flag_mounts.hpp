// -v, --mount, --tmpfs and -p: from Docker's texts to mounts and ports. Pure; mistakes are Error(usage).
#pragma once

#include <compose/service.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace compose::cli {

/// One `-v`. Relative sources ("./x", "~/x") count from `working_dir` and `home`. A named volume's name is in `source`.
[[nodiscard]] Mount volume_flag(std::string_view text, const std::string& working_dir, const std::string& home);

/// What a --mount asks of a volume that does not exist yet.
struct VolumeWish {
    std::string driver;
    std::map<std::string, std::string> options;
    Labels labels;
};
[[nodiscard]] Mount mount_flag(std::string_view text, const std::string& working_dir, VolumeWish& wish);
[[nodiscard]] Mount tmpfs_flag(std::string_view text);

/// One `-p`: a port each of a range.
[[nodiscard]] std::vector<Port> publish_flag(std::string_view text);
/// "80", "80/udp", "8000-8010": checked, as Service::expose takes it.
[[nodiscard]] std::string expose_flag(std::string_view text);

}  // namespace compose::cli
