// The host's own DNS servers, read from its resolv.conf when first needed and again when that has changed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sys/clock.hpp"
#include "sys/inet.hpp"

namespace compose::net {

[[nodiscard]] std::vector<sys::InetAddress> parse_upstreams(const std::vector<std::string>& addresses);

class HostUpstreams {
public:
    explicit HostUpstreams(std::string path = "/etc/resolv.conf") : path_(std::move(path)) {}
    /// Looks at the file at most once a second.
    [[nodiscard]] const std::vector<sys::InetAddress>& get();

private:
    std::string path_;
    std::vector<sys::InetAddress> servers_;
    sys::MonotonicTime checked_{};
    std::filesystem::file_time_type modified_{};
};

}  // namespace compose::net
