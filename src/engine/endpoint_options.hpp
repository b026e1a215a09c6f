// driver_opts of a container's place on a network.
#pragma once

#include <compose/service.hpp>
#include <map>
#include <string>
#include <vector>

namespace compose::engine {

inline constexpr const char* kEndpointName = "com.docker.network.endpoint.ifname";
inline constexpr const char* kEndpointSysctls = "com.docker.network.endpoint.sysctls";

struct EndpointOptions {
    std::string interface_name;        // empty: as usual
    std::vector<std::string> sysctls;  // "net.ipv4.conf.IFNAME.log_martians=1"
};

/// What `interface_name` and `driver_opts` say together; other keys of driver_opts mean nothing to a bridge, as with
/// Docker. Throws Error(invalid).
[[nodiscard]] EndpointOptions endpoint_options(const NetworkAttachment& attachment);

}  // namespace compose::engine
