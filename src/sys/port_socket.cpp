#include "sys/port_socket.hpp"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/inet.hpp"

namespace compose::sys {
namespace {

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Lines of /proc/net/tcp: "sl local_address rem_address st ... inode"; the port is hexadecimal after the last colon.
void collect_inodes(const std::string& table, bool tcp, std::uint16_t port, std::set<std::string>& inodes) {
    const auto text = read_file_if_exists(table);
    if (!text) return;
    for (const auto& line : split(*text, '\n')) {
        std::vector<std::string> fields;
        for (auto& field : split(line, ' '))
            if (!field.empty()) fields.push_back(std::move(field));
        constexpr std::size_t kInode = 9;
        if (fields.size() <= kInode || fields[0] == "sl") continue;
        const auto colon = fields[1].rfind(':');
        if (colon == std::string::npos) continue;
        unsigned found = 0;
        const char* const end = fields[1].data() + fields[1].size();
        if (std::from_chars(fields[1].data() + colon + 1, end, found, 16).ec != std::errc{} || found != port) continue;
        // Established connections of a server carry its port too, but the listener is the one to name.
        if (tcp && fields[3] != "0A" && fields[3] != "07") continue;
        if (fields[kInode] != "0") inodes.insert("socket:[" + fields[kInode] + "]");
    }
}

struct Directory {
    DIR* handle;
    explicit Directory(const std::string& path) : handle(::opendir(path.c_str())) {}
    ~Directory() {
        if (handle != nullptr) ::closedir(handle);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] const char* next() const {
        const dirent* const entry = handle == nullptr ? nullptr : ::readdir(handle);
        return entry == nullptr ? nullptr : entry->d_name;
    }
};

bool holds_one_of(const std::string& fd_folder, const std::set<std::string>& inodes) {
    const Directory fds(fd_folder);
    while (const char* const name = fds.next()) {
        char target[64];
        const auto n = ::readlink((fd_folder + "/" + name).c_str(), target, sizeof target);
        if (n > 0 && inodes.contains(std::string(target, static_cast<std::size_t>(n)))) return true;
    }
    return false;
}

}  // namespace

namespace {

void set_option(FdRef socket, int level, int option, int value) {
    (void)::setsockopt(socket.get(), level, option, &value, sizeof value);
}

bool bind_to(FdRef socket, const InetAddress& address) {
    return ::bind(socket.get(), static_cast<const sockaddr*>(address.data()), address.size()) == 0;
}

// Connections that a relay has closed keep their port for a minute against everyone who does not ask to use it again.
// Nothing else gives way: whether others hold it is looked at once more by listen(), which then is taken back.
bool bind_over_closed(FdRef socket, const InetAddress& address) {
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    const bool bound = bind_to(socket, address) && ::listen(socket.get(), 1) == 0;
    const int code = errno;
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, 0);
    if (bound) ::shutdown(socket.get(), SHUT_RDWR);
    errno = code;
    return bound;
}

// Nothing when the host does not know the family.
std::optional<Fd> open_port_socket(const InetAddress& address, bool tcp, bool both) {
    Fd fd(::socket(address.family(), (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd && errno == EAFNOSUPPORT) return std::nullopt;
    if (!fd) throw errno_error("create socket");
    if (address.family() == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1);
    return fd;
}

}  // namespace

bool has_ipv6() {
    const auto disabled = read_file_if_exists("/proc/sys/net/ipv6/conf/all/disable_ipv6");
    return disabled && disabled->starts_with('0');
}

std::optional<Fd> reserve_port(const std::string& protocol, const std::string& host_ip, std::uint16_t port) {
    const bool tcp = protocol == "tcp";
    auto address = InetAddress::parse(host_ip.empty() ? "::" : host_ip, port);
    if (!address) throw make_error(ErrorKind::invalid, "{} is not an IP address", quote(host_ip));
    const auto missing = [&] {
        return make_error(ErrorKind::unavailable, "port {} on {}: this host has no IPv6", port, host_ip)
            .with_hint("publish the port without an address, or on an IPv4 address");
    };
    if (!host_ip.empty() && address->family() == AF_INET6 && !has_ipv6()) throw missing();
    auto fd = open_port_socket(*address, tcp, host_ip.empty());
    if (!fd) {
        if (!host_ip.empty()) throw missing();
        address = InetAddress::ipv4(0, port);
        fd = open_port_socket(*address, tcp, false);
        if (!fd) throw errno_error("create socket");
    }
    if (!tcp) set_option(*fd, SOL_SOCKET, SO_RCVBUF, 1);  // until somebody reads it
    if (tcp && port == 0) {
        // A port that the kernel chose is lost when the socket stops to listen, one that was asked for is not.
        if (!bind_to(*fd, *address)) throw errno_error("bind any port/{}", protocol);
        const auto chosen = local_port(*fd);
        fd.reset();
        return reserve_port(protocol, host_ip, chosen);
    }
    if (bind_to(*fd, *address) || (errno == EADDRINUSE && tcp && port != 0 && bind_over_closed(*fd, *address)))
        return fd;
    if (errno == EADDRINUSE) return std::nullopt;
    throw errno_error("bind port {}{}{}/{}", host_ip, host_ip.empty() ? "" : " ", port, protocol);
}

BoundPort bound_port(FdRef socket) {
    int type = 0;
    int only = 1;
    socklen_t size = sizeof type;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) throw errno_error("read socket");
    const InetAddress address = local_address(socket);
    std::string host = address.host();
    if (host == "::") {
        size = sizeof only;
        (void)::getsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
        if (only == 0) host.clear();
    }
    return {type == SOCK_STREAM ? "tcp" : "udp", std::move(host), address.port()};
}

std::optional<PortHolder> find_port_holder(const std::string& protocol, const std::string& host_ip,
                                           std::uint16_t port) {
    const bool tcp = protocol == "tcp";
    std::set<std::string> inodes;
    // A socket of IPv6 may hold the port for IPv4 too, but not the other way round.
    if (host_ip.find(':') == std::string::npos) collect_inodes("/proc/net/" + protocol, tcp, port, inodes);
    collect_inodes("/proc/net/" + protocol + "6", tcp, port, inodes);
    if (inodes.empty()) return std::nullopt;
    const Directory processes("/proc");
    while (const char* const name = processes.next()) {
        if (!is_number(name)) continue;
        const std::string folder = std::string("/proc/") + name;
        if (!holds_one_of(folder + "/fd", inodes)) continue;
        PortHolder holder;
        holder.pid = std::atoi(name);
        try {
            holder.command = std::string(trim(read_file_if_exists(folder + "/comm").value_or("")));
        } catch (const Error&) {
            holder.command.clear();  // gone meanwhile
        }
        return holder;
    }
    return std::nullopt;
}

}  // namespace compose::sys
