// Which ports of the host a service takes: all that it publishes, but for networks that are reached without them.
#pragma once

#include <compose/project.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace compose {

inline constexpr const char* kGatewayMode4 = "com.docker.network.bridge.gateway_mode_ipv4";
inline constexpr const char* kGatewayMode6 = "com.docker.network.bridge.gateway_mode_ipv6";

inline constexpr const char* kHostBinding = "com.docker.network.bridge.host_binding_ipv4";

/// Families of host addresses on which a service takes ports.
struct HostFamilies {
    bool ipv4 = true;
    bool ipv6 = true;
    std::string binding{};  // the address for ports that name none; empty: all
};
/// As far as this project knows the networks: an external one counts as a bridge that is not routed.
[[nodiscard]] HostFamilies host_families(const Project& project, const Service& service);
/// The port as it is taken: of one family when only that is, with its address in the form that the kernel has; nothing
/// when none is.
[[nodiscard]] std::optional<Port> on_host(Port port, HostFamilies families);
/// Does it name an address or a port of the host that is not taken?
[[nodiscard]] bool has_no_effect(const Port& port, HostFamilies families);

}  // namespace compose
