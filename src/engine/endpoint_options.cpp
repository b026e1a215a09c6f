#include "engine/endpoint_options.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::engine {
namespace {

constexpr const char* kShape = "write net.ipv4.conf.IFNAME.NAME=VALUE: IFNAME stands for the interface's name";

// They become parts of a path below /proc/sys/net: only those of one interface, and nothing that leads elsewhere.
bool is_of_interface(const std::vector<std::string>& parts) {
    constexpr std::size_t kParts = 5;
    if (parts.size() != kParts || parts[0] != "net" || parts[3] != "IFNAME") return false;
    const bool family = parts[1] == "ipv4" || parts[1] == "ipv6" || parts[1] == "mpls";
    const bool group = parts[2] == "conf" || (parts[2] == "neigh" && parts[1] != "mpls");
    const auto& name = parts[4];
    return family && group && !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

std::string check_sysctl(std::string_view text) {
    constexpr std::size_t kLongestValue = 64;
    const auto equals = text.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
    const bool plain = std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= ' ' && c < 127; });
    if (value.empty() || value.size() > kLongestValue || !plain || !is_of_interface(split(text.substr(0, equals), '.')))
        throw make_error(ErrorKind::invalid, "{}: {} is no sysctl of an interface", kEndpointSysctls,
                         quote(std::string(text)))
            .with_hint(kShape);
    return std::string(text);
}

}  // namespace

EndpointOptions endpoint_options(const NetworkAttachment& attachment) {
    EndpointOptions result{attachment.interface_name, {}};
    for (const auto& [key, value] : attachment.driver_opts) {
        if (key == kEndpointName) {
            if (!result.interface_name.empty() && result.interface_name != value)
                throw make_error(ErrorKind::invalid, "interface_name is {}, and {} is {}", quote(result.interface_name),
                                 key, quote(value))
                    .with_hint("leave one of them out");
            result.interface_name = value;
        } else if (key == kEndpointSysctls) {
            for (const std::string& text : split(value, ',')) result.sysctls.push_back(check_sysctl(trim(text)));
        }
    }
    return result;
}

}  // namespace compose::engine
