#include "cli/image_digests.hpp"

#include <compose/config.hpp>
#include <compose/images.hpp>

#include "base/error.hpp"
#include "cli/context.hpp"
#include "sys/env.hpp"

namespace compose::cli {

namespace {

std::string pinned(Context& context, const std::string& reference) {
    if (reference.find('@') != std::string::npos) return reference;
    const auto name = reference.substr(reference.rfind('/') == std::string::npos ? 0 : reference.rfind('/') + 1);
    const auto tagged = name.find(':') == std::string::npos ? reference + ":latest" : reference;
    // The store is root's.
    const bool may_look = sys::running_as_root();
    for (const auto& listing : !may_look ? std::vector<ImageListing>{}
                                         : context.images().list({.all = false, .filters = {}, .reference = tagged}))
        if (listing.digest.starts_with("sha256:")) return tagged + "@" + listing.digest;
    return in_context([&] { return fmt::format("find the digest of {}", reference); },
                      [&] { return context.images().resolve_digest(tagged); });
}

}  // namespace

LoadedProject with_digests(Context& context, const LoadedProject& loaded) {
    std::map<std::string, std::string> images;
    for (const auto& [name, service] : loaded.project.services) {
        const bool only_built = service.build && service.image == loaded.project.name + "-" + name;
        if (!only_built && !service.provider && !service.image.empty()) images[name] = pinned(context, service.image);
    }
    return with_images(loaded, images);
}

}  // namespace compose::cli
