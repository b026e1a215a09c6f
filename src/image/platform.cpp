#include "image/platform.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/config.hpp"

namespace compose::image {

namespace {

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 32 && text[0] != '.' && text[0] != '-' &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string_view::npos;
}

int arm_level(const std::string& variant) {
    if (variant.empty()) return 7;
    return variant.size() == 2 && variant[0] == 'v' && variant[1] >= '5' && variant[1] <= '8' ? variant[1] - '0' : 0;
}

}  // namespace

std::string Platform::to_string() const {
    return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Platform normalized(Platform platform) {
    auto& arch = platform.architecture;
    if (arch == "x86_64" || arch == "x86-64") arch = "amd64";
    if (arch == "aarch64") arch = "arm64";
    if (arch == "i386" || arch == "i686" || arch == "x86") arch = "386";
    if (arch == "armhf") arch = "arm";
    if ((arch == "arm64" && platform.variant == "v8") || (arch == "amd64" && platform.variant == "v1"))
        platform.variant.clear();
    return platform;
}

Platform parse_platform(std::string_view text) {
    if (text.empty()) return {"linux", std::string(native_architecture()), ""};
    auto parts = split(lower(text), '/');
    if (parts.size() == 1) parts.insert(parts.begin(), "linux");
    const bool good = parts.size() <= 3 && std::all_of(parts.begin(), parts.end(), is_word);
    if (!good)
        throw make_error(ErrorKind::invalid, "{} is no platform", quote(text))
            .with_hint("write OS/ARCHITECTURE, for example linux/amd64");
    return normalized({parts[0], parts[1], parts.size() > 2 ? parts[2] : ""});
}

int platform_match(const Platform& offered_raw, const Platform& wanted) {
    const auto offered = normalized(offered_raw);
    if (offered.os != wanted.os || offered.architecture != wanted.architecture) return 0;
    if (offered.variant == wanted.variant) return 10;
    if (offered.architecture == "arm") {
        const int have = arm_level(offered.variant);
        return have > 0 && have <= arm_level(wanted.variant) ? have : 0;
    }
    // Without a variant it runs on every machine of the kind.
    return offered.variant.empty() ? 1 : 0;
}

}  // namespace compose::image
