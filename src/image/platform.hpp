// What kind of machine an image is for: "linux/amd64", "linux/arm/v7". Pure.
#pragma once

#include <string>
#include <string_view>

namespace compose::image {

struct Platform {
    std::string os = "linux";
    std::string architecture;
    std::string variant;

    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const Platform&, const Platform&) = default;
};

/// "linux/amd64", "amd64", "linux/arm64/v8"; other names of an architecture ("x86_64", "aarch64") become the usual
/// ones. Empty: this machine's. Throws Error(invalid).
[[nodiscard]] Platform parse_platform(std::string_view text);
/// The usual names; variants that say nothing (arm64/v8, amd64/v1) are left out.
[[nodiscard]] Platform normalized(Platform platform);
/// How well an image of `offered` serves `wanted`: 0 not at all, else more is better.
[[nodiscard]] int platform_match(const Platform& offered, const Platform& wanted);

}  // namespace compose::image
