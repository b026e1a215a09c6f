#include "cli/image_platform.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/context.hpp"

namespace compose::cli {

namespace {

std::string machine_of(const std::string& word) {
    if (word == "x86_64" || word == "x86-64") return "amd64";
    return word == "aarch64" ? "arm64" : word;
}

}  // namespace

void define_platform(Arguments& arguments, std::string& platform) {
    arguments.value("--platform", platform, "OS/ARCH", "Only if it is of this platform");
}

void check_platform(Context& context, const std::string& image, const std::string& platform) {
    if (platform.empty()) return;
    const auto wanted = split(lower(platform), '/');
    if (wanted.size() < 2 || wanted.size() > 3)
        throw make_error(ErrorKind::usage, "invalid platform {}", quote(platform)).with_hint("for example linux/amd64");
    const auto object = parse_json(context.images().inspect(image)).as_object();
    const auto variant = string_or(object, "Variant");
    auto own = string_or(object, "Os") + "/" + string_or(object, "Architecture");
    if (!variant.empty()) own += "/" + variant;
    const bool same = wanted[0] == string_or(object, "Os") &&
                      machine_of(wanted[1]) == string_or(object, "Architecture") &&
                      (wanted.size() == 2 || wanted[2] == variant);
    if (!same) throw make_error(ErrorKind::not_found, "image {} is of {}, not of {}", image, own, platform);
}

}  // namespace compose::cli
