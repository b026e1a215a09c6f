#include "supervisor/host_ports.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/ipv6.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "net/address.hpp"
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
        hand_to_keeper({sockets_.begin(), sockets_.end()});
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

/// Everything that it holds, in place of what it was given before.
void HostPorts::hand_to_keeper(const std::vector<sys::FdRef>& sockets) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < sockets.size(); at += sys::kMaxFixedFds) {
        const auto end = std::min(at + sys::kMaxFixedFds, sockets.size());
        names.push_back(fmt::format("{}/ports/{}", id_, at));
        if (std::find(names_.begin(), names_.end(), names.back()) == names_.end()) names_.push_back(names.back());
        core_.keeper.store(
            names.back(), 0,
            {sockets.begin() + static_cast<std::ptrdiff_t>(at), sockets.begin() + static_cast<std::ptrdiff_t>(end)});
    }
    for (const auto& name : names_)
        if (std::find(names.begin(), names.end(), name) == names.end()) core_.keeper.drop(name);
    names_ = std::move(names);
}

namespace {

bool fits(const PortWish& wish, const store::PortRecord& port) {
    if (wish.protocol != port.protocol || canonical_address(wish.host_ip) != canonical_address(port.host_ip))
        return false;
    return wish.first == 0 ? wish.container_port == port.container_port
                           : wish.first <= port.host_port && port.host_port <= wish.last;
}

/// Of the ports those that the wishes ask for; what stays in `wishes` is asked for besides. Who wants one certain port
/// chooses before who is content with any.
std::vector<store::PortRecord> choose(std::vector<store::PortRecord> ports, std::vector<PortWish>& wishes) {
    const auto breadth = [](const PortWish& wish) { return wish.first == 0 ? 65536 : wish.last - wish.first; };
    std::stable_sort(wishes.begin(), wishes.end(),
                     [&](const PortWish& a, const PortWish& b) { return breadth(a) < breadth(b); });
    std::vector<store::PortRecord> chosen;
    std::erase_if(wishes, [&](const PortWish& wish) {
        const auto port =
            std::find_if(ports.begin(), ports.end(), [&](const auto& candidate) { return fits(wish, candidate); });
        if (port == ports.end()) return false;
        chosen.push_back(*port);
        chosen.back().container_port = wish.container_port;
        ports.erase(port);
        return true;
    });
    return chosen;
}

bool holds(sys::FdRef socket, const store::PortRecord& port) {
    const auto bound = sys::bound_port(socket);
    if (bound.protocol != port.protocol || bound.port != port.host_port) return false;
    // Without IPv6 all addresses are all of IPv4.
    if (port.host_ip.empty()) return bound.host_ip.empty() || bound.host_ip == "0.0.0.0";
    return net::parse_ip(bound.host_ip) == net::parse_ip(port.host_ip);
}

bool holds_one_of(sys::FdRef socket, const std::vector<store::PortRecord>& ports) {
    return std::any_of(ports.begin(), ports.end(), [&](const auto& port) { return holds(socket, port); });
}

}  // namespace

std::vector<std::uint16_t> HostPorts::take_over(HostPorts& from, std::vector<PortWish> wishes) {
    if (taken()) return {};
    const auto theirs = core_.store.ports_of(from.id_);
    const auto ports = choose(theirs, wishes);
    std::vector<std::uint16_t> reached;
    for (const auto& port : theirs)
        if (std::any_of(ports.begin(), ports.end(), [&](const auto& p) { return p.host_port == port.host_port; }))
            reached.push_back(port.container_port);
    std::vector<sys::Fd> left;
    try {
        for (const auto& wish : wishes) take_one(wish);
        // The keeper first: it holds them for both, and the database says whose they are.
        std::vector<sys::FdRef> all(sockets_.begin(), sockets_.end());
        for (const auto& socket : from.sockets_)
            if (holds_one_of(socket, ports)) all.emplace_back(socket);
        hand_to_keeper(all);
        core_.store.move_ports(ports, id_);
    } catch (...) {
        release();
        throw;
    }
    for (auto& socket : from.sockets_) (holds_one_of(socket, ports) ? sockets_ : left).push_back(std::move(socket));
    from.sockets_ = std::move(left);
    from.hand_to_keeper({from.sockets_.begin(), from.sockets_.end()});
    return reached;
}

void HostPorts::adopt(std::map<std::string, Held>& held) {
    std::vector<store::PortRecord> ours;
    bool foreign = false;
    for (auto& [name, entry] : held) {
        if (!name.starts_with(id_ + "/ports/")) continue;
        if (ours.empty()) ours = core_.store.ports_of(id_);
        names_.push_back(name);
        for (auto& fd : entry.fds) {
            if (holds_one_of(fd, ours))
                sockets_.push_back(std::move(fd));
            else
                foreign = true;  // the supervisor before this one ended while it gave them away
        }
    }
    if (foreign) hand_to_keeper({sockets_.begin(), sockets_.end()});
    for (auto& [name, entry] : held)
        if (name.starts_with(id_ + "/ports/")) entry.fds.clear();
}

void HostPorts::release() {
    for (const auto& name : names_) core_.keeper.drop(name);
    names_.clear();
    sockets_.clear();
    core_.store.release_ports(id_);
}

}  // namespace compose::supervisor
