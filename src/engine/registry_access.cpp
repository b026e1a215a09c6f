#include "engine/registry_access.hpp"

#include <charconv>
#include <compose/version.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::engine {
namespace {

using Environment = std::map<std::string, std::string>;

std::string value_of(const Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

image::HttpSettings settings_from(const Environment& environment) {
    image::HttpSettings settings;
    settings.environment = environment;
    if (const auto home = value_of(environment, "HOME"); !home.empty())
        settings.certificate_folders.push_back(home + "/.config/containers/certs.d");
    settings.user_agent = fmt::format("compose/{}", kVersion);
    for (const auto& name : split(value_of(environment, "COMPOSE_INSECURE_REGISTRIES"), ','))
        if (const auto host = trim(name); !host.empty()) settings.insecure.emplace_back(lower(host));
    if (const auto text = value_of(environment, "COMPOSE_HTTP_TIMEOUT"); !text.empty()) {
        int seconds = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc{} || end != text.data() + text.size() || seconds < 1)
            throw make_error(ErrorKind::usage, "COMPOSE_HTTP_TIMEOUT is {}, not a number of seconds", quote(text));
        settings.stall = settings.connect_timeout = std::chrono::seconds(seconds);
    }
    return settings;
}

}  // namespace

RegistryAccess::RegistryAccess(Environment environment, std::stop_token cancel)
    : environment_(std::move(environment)),
      interrupt_(std::move(cancel)),
      credentials_(environment_),
      http_(settings_from(environment_), interrupt_) {}

image::Registry RegistryAccess::open(const image::Reference& reference) {
    // A server that asks for a long pause is as good as silent.
    image::RetrySettings retry;
    retry.longest = http_.settings().stall;
    return {http_, reference, credentials_, retry};
}

std::string RegistryAccess::variable(const std::string& name) const {
    return value_of(environment_, name);
}

}  // namespace compose::engine
