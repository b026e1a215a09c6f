#include "loader/support_values.hpp"

#include <string_view>
#include <vector>

#include "base/disk_size.hpp"
#include "base/error.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

std::string is_one_of(const Node& value, const std::vector<std::string_view>& known) {
    for (const auto word : known)
        if (value.text == word) return {};
    return shown(value.text) + " is not implemented yet";
}

bool joins(const Node& value) {
    return value.text.starts_with("service:") || value.text.starts_with("container:");
}

}  // namespace

std::string check_network_mode(const Node& value) {
    return joins(value) ? "" : is_one_of(value, {"none", "host", "bridge"});
}
std::string check_ipc(const Node& value) {
    return joins(value) ? "" : is_one_of(value, {"shareable", "private", "none", "host", ""});
}
std::string check_pid(const Node& value) {
    return joins(value) ? "" : is_one_of(value, {"host", ""});
}
std::string check_host_only(const Node& value) {
    return is_one_of(value, {"host", ""});
}
std::string check_cgroup(const Node& value) {
    return is_one_of(value, {"host", "private", ""});
}
std::string check_runtime(const Node& value) {
    return is_one_of(value, {"runc", "compose", "io.containerd.runc.v2", ""}).empty()
               ? ""
               : shown(value.text) + " is not here: containers are run by compose itself";
}
// Other options than the size have no row of the table.
std::string check_storage_size(const Node& value) {
    try {
        (void)parse_disk_size(value.text);
        return {};
    } catch (const Error& error) {
        return error.hint().empty() ? error.what() : std::string(error.what()) + ": " + error.hint();
    }
}
std::string check_protocol(const Node& value) {
    return is_one_of(value, {"tcp", "udp"});
}
std::string check_mount_type(const Node& value) {
    return is_one_of(value, {"bind", "volume", "tmpfs", "image"});
}
std::string check_network_driver(const Node& value) {
    return is_one_of(value, {"bridge", "default", "macvlan", "ipvlan"});
}
std::string check_ipam_driver(const Node& value) {
    return is_one_of(value, {"bridge", "default"});
}
std::string check_volume_driver(const Node& value) {
    return is_one_of(value, {"local", "default"});
}
std::string check_platform(const Node& value) {
#if defined(__x86_64__)
    return is_one_of(value, {"linux/amd64", "linux/x86_64"});
#elif defined(__aarch64__)
    return is_one_of(value, {"linux/arm64", "linux/arm64/v8", "linux/aarch64"});
#else
    return value.text.starts_with("linux/") ? "" : shown(value.text) + " is not this machine's platform";
#endif
}

std::string check_ipv4_address(const Node& value) {
    return value.text.empty() || is_ipv4(value.text) ? "" : shown(value.text) + " is not an IPv4 address";
}
std::string check_ipv6_address(const Node& value) {
    return value.text.empty() || is_ipv6(value.text) ? "" : shown(value.text) + " is not an IPv6 address";
}
// "02:42:ac:11:00:02"
std::string check_mac_address(const Node& value) {
    constexpr std::size_t kSize = 17;
    const auto& text = value.text;
    bool fits = text.size() == kSize;
    for (std::size_t i = 0; fits && i < kSize; ++i)
        fits =
            i % 3 == 2 ? text[i] == ':' : std::string_view("0123456789abcdefABCDEF").find(text[i]) != std::string::npos;
    return fits || text.empty() ? "" : shown(text) + " is not a MAC address, such as 02:42:ac:11:00:02";
}
std::string check_name_servers(const Node& value) {
    for (const auto& server : value.items)
        if (!is_ipv4(server.text) && !is_ipv6(server.text))
            return shown(server.text) + " is not an address of a name server";
    return {};
}

std::string check_security_option(const Node& value) {
    auto text = value.text;
    if (const auto colon = text.find(':'); colon != std::string::npos && text.find('=') == std::string::npos)
        text[colon] = '=';
    if (text.starts_with("seccomp=") && text.size() > std::string_view("seccomp=").size()) return {};
    for (const std::string_view known : {"no-new-privileges", "no-new-privileges=true", "no-new-privileges=false",
                                         "apparmor=unconfined", "label=disable", "systempaths=unconfined",
                                         "writable-cgroups", "writable-cgroups=true", "writable-cgroups=false"})
        if (text == known) return {};
    if (text.starts_with("apparmor=") && text.size() > std::string_view("apparmor=").size())
        return {};                              // whether the kernel has it is looked at when containers are made
    if (text.starts_with("label=")) return {};  // whether the host has SELinux is looked at elsewhere
    return shown(value.text) + " is not implemented yet";
}

}  // namespace compose
