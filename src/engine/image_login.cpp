// Logging in and out of registries.
#include <compose/images.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/images_impl.hpp"
#include "engine/registry_access.hpp"
#include "sys/env.hpp"

namespace compose {

namespace {

/// "https://index.docker.io/v1/", "registry.example.com/", "" -> as references have it.
std::string registry_name(const std::string& text) {
    std::string out = lower(text);
    for (const std::string_view scheme : {"https://", "http://"})
        if (out.starts_with(scheme)) out.erase(0, scheme.size());
    out = out.substr(0, out.find('/'));
    if (out.empty() || out == "index.docker.io" || out == "registry-1.docker.io") return "docker.io";
    // What can be no registry of an image is none to log in to.
    return image::parse_reference(out.find_first_of(".:") == std::string::npos && out != "localhost"
                                      ? throw make_error(ErrorKind::invalid, "{} is no registry", quote(text))
                                      : out + "/x")
        .registry;
}

}  // namespace

std::string Images::login(const LoginOptions& options, std::stop_token cancel) {
    engine::RegistryAccess access(sys::environment_snapshot(), std::move(cancel));
    image::Reference reference;
    reference.registry = registry_name(options.registry);
    const image::Credentials credentials{.user = options.user, .secret = options.password};
    auto registry = access.open(reference);
    in_context([&] { return "log in to " + reference.registry; }, [&] { registry.check_access(credentials); });
    return access.credentials().store(reference.registry, credentials);
}

bool Images::logout(const std::string& registry) {
    engine::RegistryAccess access(sys::environment_snapshot(), {});
    return access.credentials().erase(registry_name(registry));
}

std::string Images::stored_user(const std::string& registry) {
    engine::RegistryAccess access(sys::environment_snapshot(), {});
    const auto found = access.credentials().find(registry_name(registry));
    return found && !found->identity_token ? found->user : std::string();
}

}  // namespace compose
