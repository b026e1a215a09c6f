#include "net/dns_upstreams.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/dns_server.hpp"
#include "sys/file.hpp"

namespace compose::net {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kMaxResolvConf = 64 * 1024;

}  // namespace

std::vector<sys::InetAddress> parse_upstreams(const std::vector<std::string>& addresses) {
    std::vector<sys::InetAddress> servers;
    for (const std::string& text : addresses) {
        if (const auto address = sys::InetAddress::parse(text, kDnsPort)) servers.push_back(*address);
    }
    return servers;
}

const std::vector<sys::InetAddress>& HostUpstreams::get() {
    const sys::MonotonicTime now = sys::monotonic_now();
    if (checked_ != sys::MonotonicTime{} && now - checked_ < std::chrono::seconds(1)) return servers_;
    checked_ = now;
    std::error_code error;
    const auto modified = std::filesystem::last_write_time(path_, error);
    if (error) {
        servers_.clear();
        modified_ = {};
        return servers_;
    }
    if (modified == modified_) return servers_;
    modified_ = modified;
    try {
        servers_ = parse_upstreams(parse_resolv_conf(sys::read_file(path_, kMaxResolvConf)).nameservers);
    } catch (const Error& failure) {
        log::debug("no DNS servers of the host: {}", failure.what());
        servers_.clear();
    }
    return servers_;
}

}  // namespace compose::net
