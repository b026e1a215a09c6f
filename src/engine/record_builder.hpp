// The row of a container: its labels, health check, restart policy and wished ports. Pure, as spec_builder.
#pragma once

#include <compose/project.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/image_facts.hpp"
#include "engine/spec_builder.hpp"
#include "store/records.hpp"
#include "supervisor/client.hpp"
#include "supervisor/container_options.hpp"

namespace compose::engine {

[[nodiscard]] store::Container build_record(const Project& project, const Service& service, const ImageFacts& image,
                                            const ContainerFacts& facts, const std::string& row_name);

/// Labels as Docker Compose sets them, over the service's own.
[[nodiscard]] Labels container_labels(const Project& project, const Service& service, const ImageFacts& image,
                                      int number);
/// The image's health check, overridden field by field by the service's; nothing when there is none or it is disabled.
[[nodiscard]] std::optional<supervisor::HealthConfig> effective_health(const Service& service, const ImageFacts& image);
[[nodiscard]] std::string restart_text(const RestartPolicy& policy);
/// "80/tcp", "8000-8002/udp" of the service's `expose` and the image's EXPOSE, one port each, sorted.
struct ExposedPort {
    std::uint16_t port = 0;
    std::string protocol;
    friend auto operator<=>(const ExposedPort&, const ExposedPort&) = default;
};
[[nodiscard]] std::vector<ExposedPort> exposed_ports(const Service& service, const ImageFacts& image);
/// `binding`: the host address of ports that name none.
[[nodiscard]] std::string ports_json(const Service& service, const ImageFacts& image, const std::string& binding = {});

/// How the container is looked after: its log, restarts, hooks and links. Throws Error(invalid) for what can't be.
[[nodiscard]] supervisor::ContainerOptions container_options(const Service& service);
/// `x-probe: {tcp: 5432}` or `{http: ":8080/healthz"}`; nothing when there is none. Throws Error(invalid).
[[nodiscard]] std::optional<supervisor::NetProbeConfig> net_probe(const Service& service);

}  // namespace compose::engine
