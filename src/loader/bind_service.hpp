// Canonical tree -> Service, a page at a time. Values were checked by the stages before; what is still malformed is
// reported, never thrown.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/service.hpp>
#include <string>

#include "model/node.hpp"

namespace compose {

[[nodiscard]] Service bind_service(const Node::Entry& entry, const std::string& project, Diagnostics& findings);

[[nodiscard]] std::vector<Port> bind_ports(const Node& service, const std::string& path, Diagnostics& findings);
/// `volumes` and `tmpfs`, in this order.
[[nodiscard]] std::vector<Mount> bind_mounts(const Node& service);

// bind_build.cpp
[[nodiscard]] std::optional<BuildConfig> bind_build(const Node& service);
/// Configs or secrets, as `key` says.
[[nodiscard]] std::vector<FileGrant> bind_grants(const Node& owner, std::string_view key);

// bind_limits.cpp
/// Limits, ulimits, devices and GPUs: what `deploy.resources` says, too.
void bind_limits(Service& out, const Node& service);

// bind_deploy.cpp
[[nodiscard]] Deploy bind_deploy(const Node& service);
[[nodiscard]] RestartPolicy bind_restart(const Node& service);
/// Hooks, watch rules, provider and models: what runs beside the container.
void bind_companions(Service& out, const Node& service);

}  // namespace compose
