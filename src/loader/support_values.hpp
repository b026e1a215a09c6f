// Checks of values of which only some can be run: each says what is wrong, or nothing.
#pragma once

#include <string>

#include "model/node.hpp"

namespace compose {

[[nodiscard]] std::string check_network_mode(const Node& value);
[[nodiscard]] std::string check_ipc(const Node& value);
[[nodiscard]] std::string check_pid(const Node& value);
[[nodiscard]] std::string check_host_only(const Node& value);
[[nodiscard]] std::string check_cgroup(const Node& value);
[[nodiscard]] std::string check_runtime(const Node& value);
[[nodiscard]] std::string check_storage_size(const Node& value);
[[nodiscard]] std::string check_protocol(const Node& value);
[[nodiscard]] std::string check_mount_type(const Node& value);
[[nodiscard]] std::string check_network_driver(const Node& value);
[[nodiscard]] std::string check_ipam_driver(const Node& value);
[[nodiscard]] std::string check_volume_driver(const Node& value);
[[nodiscard]] std::string check_platform(const Node& value);
[[nodiscard]] std::string check_ipv4_address(const Node& value);
[[nodiscard]] std::string check_ipv6_address(const Node& value);
[[nodiscard]] std::string check_mac_address(const Node& value);
[[nodiscard]] std::string check_name_servers(const Node& value);
[[nodiscard]] std::string check_security_option(const Node& value);

}  // namespace compose
