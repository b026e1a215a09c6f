#include "cli/refused_commands.hpp"

#include <utility>

namespace compose::cli {

namespace {

constexpr const char* kSwarm = "it is for Swarm, and there is only this machine; see 'docker compose'";
constexpr const char* kContext = "there is one context, default: this machine, without a daemon";
constexpr const char* kBuilder = "there is one builder, default, and nothing to set up";
constexpr const char* kCheckpoint = "processes can't be saved to disk and brought back";
constexpr const char* kDesktop = "it is a part of Docker Desktop";

constexpr std::pair<std::string_view, const char*> kRefused[] = {
    {"swarm", kSwarm},
    {"node", kSwarm},
    {"service", kSwarm},
    {"stack", kSwarm},
    {"secret", kSwarm},
    {"config", kSwarm},
    {"volume update", "it is for cluster volumes of Swarm"},
    {"plugin", "there are no plugins: networks are of the driver bridge, volumes of the driver local"},
    {"trust", "signatures of images are neither made nor checked"},
    {"search", "registries have no common way to search; look at https://hub.docker.com"},
    {"manifest", "'docker image inspect' shows what is here, and a pull takes this machine's image of several"},
    {"checkpoint", kCheckpoint},
    {"system dial-stdio", "there is no daemon to connect to"},
    {"context create", kContext},
    {"context export", kContext},
    {"context import", kContext},
    {"context rm", kContext},
    {"context update", kContext},
    {"buildx bake", "builds of several images are written in a Compose file: 'docker compose build'"},
    {"buildx create", kBuilder},
    {"buildx dial-stdio", kBuilder},
    {"buildx history", "builds leave no records beside their images: see 'docker history IMAGE'"},
    {"buildx imagetools", "an image is made and pushed for one platform at a time"},
    {"buildx rm", kBuilder},
    {"buildx stop", kBuilder},
    {"desktop", kDesktop},
    {"extension", kDesktop},
    {"init", kDesktop},
    {"mcp", kDesktop},
    {"model", "models are fetched by the plugin docker-model: see 'models' of the Compose file"},
    {"sbom", kDesktop},
    {"scout", kDesktop},
};

}  // namespace

std::string_view why_refused(std::string_view command) {
    for (const auto& [name, why] : kRefused)
        if (name == command) return why;
    return {};
}

}  // namespace compose::cli
