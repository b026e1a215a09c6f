#include "supervisor/host_ports.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "sys/fixed_packet.hpp"
#include "sys/port_socket.hpp"

namespace compose::supervisor {
namespace {

std::string shown(const PortWish& wish, std::uint16_t port) {
    return fmt::format("{}{}/{}", address_prefix(wish.host_ip), port, wish.protocol);
}

Error taken_error(const PortWish& wish, std::uint16_t port) {
    const auto holder = sys::find_port_holder(wish.protocol, wish.host_ip, port);
    auto error =
        holder ? make_error(ErrorKind::conflict, "port {} is already in use by {} (pid {})", shown(wish, port),
                            holder->command, holder->pid)
               : make_error(ErrorKind::conflict, "port {} is already in use by another process", shown(wish, port));
    return error.with_hint("stop that process, or publish another port");
}

std::uint16_t port_in(const json::object& object, std::string_view key) {
    const auto value = int_or(object, key, -1);
    if (value < 0 || value > 65535) throw make_error(ErrorKind::invalid, "host ports: bad {}", key);
    return static_cast<std::uint16_t>(value);
}

}  // namespace

std::string to_json(const std::vector<PortWish>& wishes) {
    if (wishes.empty()) return {};
    json::array list;
    for (const auto& wish : wishes)
        list.push_back(json::object{{"protocol", wish.protocol},
                                    {"host_ip", wish.host_ip},
                                    {"first", wish.first},
                                    {"last", wish.last},
                                    {"container_port", wish.container_port}});
    return json::serialize(list);
}

std::vector<PortWish> port_wishes_from_json(std::string_view text) {
    std::vector<PortWish> wishes;
    if (text.empty()) return wishes;
    const auto value = parse_json(text);
    if (!value.is_array()) throw make_error(ErrorKind::invalid, "host ports: not a list");
    for (const auto& item : value.get_array()) {
        if (!item.is_object()) throw make_error(ErrorKind::invalid, "host ports: not an object");
        const auto& object = item.get_object();
        if (!bool_or(object, "publish", true)) continue;  // only exposed: for listings
        PortWish wish{string_or(object, "protocol"), string_or(object, "host_ip"), port_in(object, "first"),
                      port_in(object, "last"), port_in(object, "container_port")};
        if (wish.protocol != "tcp" && wish.protocol != "udp")
            throw make_error(ErrorKind::invalid, "host ports: protocol \"{}\" cannot be published", wish.protocol);
        if (wish.first > wish.last) throw make_error(ErrorKind::invalid, "host ports: an empty range");
        wishes.push_back(std::move(wish));
    }
    return wishes;
}

HostPorts::HostPorts(Core& core, std::string container_id) : core_(core), id_(std::move(container_id)) {}

void HostPorts::take(const std::vector<PortWish>& wishes) {
    if (taken()) return;  // kept from the run before
    try {
        for (const auto& wish : wishes) take_one(wish);
        hand_to_keeper();
    } catch (...) {
        release();
        throw;
    }
}

void HostPorts::take_one(const PortWish& wish) {
    if (wish.first == wish.last && wish.first != 0) {
        // The database first: it knows other containers by name.
        core_.store.allocate_port(id_, wish.protocol, wish.host_ip, wish.first, wish.last, wish.container_port);
        auto socket = sys::reserve_port(wish.protocol, wish.host_ip, wish.first);
        if (!socket) throw taken_error(wish, wish.first);
        sockets_.push_back(std::move(*socket));
        return;
    }
    if (wish.first == 0) {
        constexpr int kTries = 64;
        for (int i = 0; i < kTries; ++i)
            if (reserve(wish, 0)) return;
        throw make_error(ErrorKind::conflict, "no host port is free for container port {}/{}", wish.container_port,
                         wish.protocol);
    }
    for (std::uint32_t port = wish.first; port <= wish.last; ++port)
        if (reserve(wish, static_cast<std::uint16_t>(port))) return;
    throw make_error(ErrorKind::conflict, "none of the host ports {}-{}/{} is free", wish.first, wish.last,
                     wish.protocol);
}

bool HostPorts::reserve(const PortWish& wish, std::uint16_t port) {
    auto socket = sys::reserve_port(wish.protocol, wish.host_ip, port);
    if (!socket) return false;
    const auto bound = sys::bound_port(*socket).port;
    try {
        core_.store.allocate_port(id_, wish.protocol, wish.host_ip, bound, bound, wish.container_port);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::conflict) return false;
        throw;
    }
    sockets_.push_back(std::move(*socket));
    return true;
}

void HostPorts::hand_to_keeper() {
    for (std::size_t at = 0; at < sockets_.size(); at += sys::kMaxFixedFds) {
        const auto end = std::min(at + sys::kMaxFixedFds, sockets_.size());
        const auto name = fmt::format("{}/ports/{}", id_, at);
        names_.push_back(name);
        core_.keeper.store(
            name, 0,
            {sockets_.begin() + static_cast<std::ptrdiff_t>(at), sockets_.begin() + static_cast<std::ptrdiff_t>(end)});
    }
}

void HostPorts::adopt(std::map<std::string, Held>& held) {
    for (auto& [name, entry] : held) {
        if (!name.starts_with(id_ + "/ports/")) continue;
        names_.push_back(name);
        for (auto& fd : entry.fds) sockets_.push_back(std::move(fd));
        entry.fds.clear();
    }
}

void HostPorts::release() {
    for (const auto& name : names_) core_.keeper.drop(name);
    names_.clear();
    sockets_.clear();
    core_.store.release_ports(id_);
}

}  // namespace compose::supervisor
