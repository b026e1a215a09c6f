// use_api_socket: a service speaks with the Docker daemon of this host, where there is one, as the user who started it.
#include <algorithm>
#include <compose/config.hpp>
#include <compose/objects.hpp>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "image/credentials.hpp"
#include "sys/file.hpp"
#include "sys/host.hpp"

namespace compose {

namespace {

using Environment = std::map<std::string, std::string>;

constexpr std::string_view kPlace = "/var/run/docker.sock";  // in the container, and the daemon's usual one on the host
constexpr const char* kConfigFolder = "/run/secrets/docker";
constexpr const char* kConfigFile = "/run/secrets/docker/config.json";
constexpr const char* kConfig = "#api-socket";  // a key that no file can have
constexpr std::string_view kUnix = "unix://";

std::string address_in(const Environment& environment) {
    const auto found = environment.find("DOCKER_HOST");
    if (found != environment.end() && !found->second.empty()) return found->second;
    return fmt::format("{}{}", kUnix, kPlace);
}

void give_to(Service& service, const std::string& socket) {
    const bool mounted = std::any_of(service.mounts.begin(), service.mounts.end(),
                                     [](const Mount& mount) { return mount.target == kPlace; });
    if (!mounted) {
        Mount& mount = service.mounts.emplace_back();
        mount.type = Mount::Type::bind;
        mount.source = socket;
        mount.target = kPlace;
        mount.pos = service.pos;
    }
    // Another daemon is another container.
    service.config_hash = sha256_hex(service.config_hash + "\nuse_api_socket " + socket);
    // Who says where the configuration is knows what is in it.
    if (!service.environment.emplace("DOCKER_CONFIG", kConfigFolder).second) return;
    FileGrant& grant = service.configs.emplace_back();
    grant.source = kConfig;
    grant.target = kConfigFile;
    grant.pos = service.pos;
}

}  // namespace

HostSupport host_support(const Environment& environment) {
    HostSupport support;
    support.selinux = sys::has_selinux();
    const std::string address = address_in(environment);
    if (!address.starts_with(kUnix))
        support.no_api_socket = "DOCKER_HOST names " + address + ", which is no unix socket";
    else if (!sys::is_socket(address.substr(kUnix.size())))
        support.no_api_socket = "there is no API socket " + address.substr(kUnix.size()) + " on this host";
    return support;
}

void give_api_socket(Project& project, const Environment& environment) {
    bool any = false;
    const std::string address = address_in(environment);
    for (auto& [name, service] : project.services)
        if (service.use_api_socket && address.starts_with(kUnix)) {
            give_to(service, address.substr(kUnix.size()));
            any = true;
        }
    if (!any) return;
    FileObject& config = project.configs[kConfig];
    config.key = config.name = kConfig;
    config.content = image::render_credentials(image::CredentialFile(environment).all());
}

}  // namespace compose
