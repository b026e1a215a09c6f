#include "sys/port_socket.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

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

std::optional<Fd> reserve_port(const std::string& protocol, std::uint32_t address, std::uint16_t port) {
    const bool tcp = protocol == "tcp";
    Fd fd(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
    if (!fd) throw errno_error("create socket");
    const int one = 1;
    if (!tcp) ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &one, sizeof one);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(address);
    name.sin_port = htons(port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return fd;
    if (errno == EADDRINUSE) return std::nullopt;
    throw errno_error("bind port {}/{}", port, protocol);
}

std::uint16_t bound_port(FdRef socket) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) throw errno_error("read port");
    return ntohs(name.sin_port);
}

std::optional<PortHolder> find_port_holder(const std::string& protocol, std::uint16_t port) {
    const bool tcp = protocol == "tcp";
    std::set<std::string> inodes;
    collect_inodes("/proc/net/" + protocol, tcp, port, inodes);
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
