// Subnets, addresses and host ports: always the lowest that is free.
#include <algorithm>
#include <set>

#include "base/ids.hpp"
#include "base/strings.hpp"
#include "store/impl.hpp"
#include "store/ipv4.hpp"
#include "store/pools.hpp"
#include "store/subnets.hpp"

namespace compose::store {

namespace {

constexpr std::uint16_t kEphemeralFirst = 32768;
constexpr std::uint16_t kEphemeralLast = 60999;

std::vector<Range> default_pools() {
    std::vector<Range> pools;
    for (std::uint32_t second = 17; second <= 31; ++second)
        pools.push_back(make_range(172U << 24U | second << 16U, 16));
    for (std::uint32_t step = 0; step < 16; ++step)
        pools.push_back(make_range(192U << 24U | 168U << 16U | step << 12U, 20));
    return pools;
}

std::vector<Range> ranges_to_avoid(std::span<const std::string> texts) {
    std::vector<Range> out;
    for (const auto& text : texts) {
        const auto range = parse_range(text);
        if (range && range->length > 0) out.push_back(*range);  // the default route is in nobody's way
    }
    return out;
}

}  // namespace

Range choose_subnet(const std::vector<Range>& used, std::span<const std::string> avoid) {
    const auto routes = ranges_to_avoid(avoid);
    const auto overlaps = [](const std::vector<Range>& ranges, const Range& candidate) {
        return std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return r.overlaps(candidate); });
    };
    for (const auto& candidate : default_pools())
        if (!overlaps(used, candidate) && !overlaps(routes, candidate)) return candidate;
    throw make_error(ErrorKind::conflict,
                     "no subnet is left for another network: all of 172.17.0.0/16 to 172.31.0.0/16 "
                     "and 192.168.0.0/16 in /20 steps are taken by networks or routes of this host")
        .with_hint(
            "remove networks that nothing uses (compose down), or give the network a subnet of its own under "
            "ipam.config");
}

Range check_subnet(const std::string& text) {
    const auto range = parse_range(text);
    if (!range) throw make_error(ErrorKind::invalid, "\"{}\" is not an IPv4 subnet such as 10.20.0.0/16", text);
    if (format_range(*range) != text)
        throw make_error(ErrorKind::invalid, "subnet {} has host bits set: write {}", text, format_range(*range));
    if (range->length < 8 || range->length > 30)
        throw make_error(ErrorKind::invalid, "subnet {} must have a length between /8 and /30", text);
    return *range;
}

std::uint32_t check_gateway(const Range& subnet, const std::string& text) {
    if (text.empty()) return subnet.first + 1;
    const auto gateway = parse_ipv4(text);
    if (!gateway) throw make_error(ErrorKind::invalid, "gateway \"{}\" is not an IPv4 address", text);
    if (*gateway <= subnet.first || *gateway >= subnet.last)
        throw make_error(ErrorKind::invalid, "gateway {} is not a host address of {}", text, format_range(subnet));
    return *gateway;
}

namespace {

// A pool as numbers.
struct Seats {
    Range subnet;
    Range range;  // where addresses are taken from that nobody has chosen
    std::uint32_t gateway = 0;
    std::set<std::uint32_t> reserved;  // the gateway, and what the user keeps for others

    [[nodiscard]] bool has_host(std::uint32_t address) const { return address > subnet.first && address < subnet.last; }
};

std::vector<Seats> seats_of(const Network& network) {
    std::vector<Seats> result;
    for (const Pool& pool : pools_of(network, false)) {
        const auto subnet = parse_range(pool.subnet);
        if (!subnet) continue;
        Seats seats{.subnet = *subnet,
                    .range = parse_range(pool.range).value_or(*subnet),
                    .gateway = parse_ipv4(pool.gateway).value_or(subnet->first + 1),
                    .reserved = {}};
        seats.reserved.insert(seats.gateway);
        for (const auto& [name, text] : pool.reserved)
            if (const auto address = parse_ipv4(text)) seats.reserved.insert(*address);
        result.push_back(std::move(seats));
    }
    if (result.empty()) throw make_error(ErrorKind::invalid, "network {} has no subnet", network.name);
    return result;
}

std::string names_of(const std::vector<Seats>& all, const Range Seats::*which) {
    std::vector<std::string> names;
    for (const Seats& seats : all) names.push_back(format_range(seats.*which));
    return join(names, ", ");
}

void check_wanted(Database& db, const Network& network, const std::vector<Seats>& all, std::uint32_t address) {
    const auto home = std::find_if(all.begin(), all.end(), [&](const Seats& seats) { return seats.has_host(address); });
    if (home == all.end())
        throw make_error(ErrorKind::invalid, "address {} is not a host address of network {} ({})",
                         format_ipv4(address), network.name, names_of(all, &Seats::subnet));
    if (address == home->gateway)
        throw make_error(ErrorKind::conflict, "address {} is the gateway of network {}", format_ipv4(address),
                         network.name);
    auto holder = db.query(
        "SELECT c.name, c.project FROM endpoints e JOIN containers c ON c.id = e.container "
        "WHERE e.network = ? AND e.address_value = ?",
        network.id, address);
    if (holder.step())
        throw make_error(ErrorKind::conflict, "address {} in network {} is already in use by container {} (project {})",
                         format_ipv4(address), network.name, holder.view(0), holder.view(1));
}

std::optional<std::uint32_t> lowest_free(Database& db, const Network& network, const Seats& seats) {
    std::uint32_t candidate = std::max(seats.subnet.first + 1, seats.range.first);
    const auto skip_reserved = [&] {
        while (seats.reserved.contains(candidate)) ++candidate;
    };
    skip_reserved();
    auto taken = db.query(
        "SELECT address_value FROM endpoints WHERE network = ? AND address_value IS NOT NULL ORDER BY address_value",
        network.id);
    while (taken.step() && taken.integer(0) <= candidate) {
        if (taken.integer(0) < candidate) continue;
        ++candidate;
        skip_reserved();
    }
    if (candidate >= seats.subnet.last || candidate > seats.range.last) return std::nullopt;
    return candidate;
}

}  // namespace

std::string Store::allocate_address(const Network& network, const std::string& wanted) const {
    const auto all = seats_of(network);
    if (!wanted.empty()) {
        const auto address = parse_ipv4(wanted);
        if (!address) throw make_error(ErrorKind::invalid, "\"{}\" is not an IPv4 address", wanted);
        check_wanted(impl_->db, network, all, *address);
        return format_ipv4(*address);
    }
    for (const Seats& seats : all)
        if (const auto address = lowest_free(impl_->db, network, seats)) return format_ipv4(*address);
    throw make_error(ErrorKind::conflict, "network {} has no free address left in {}", network.name,
                     names_of(all, &Seats::range))
        .with_hint("give the network a larger subnet under ipam.config");
}

namespace {

bool is_ipv6(std::string_view ip) {
    return ip.find(':') != std::string_view::npos;
}

bool is_wildcard(std::string_view ip) {
    return ip == "0.0.0.0" || ip == "::";
}

std::string describe(std::uint16_t port, const std::string& protocol, std::string_view ip) {
    if (is_wildcard(ip)) return fmt::format("{}/{} on all {} addresses", port, protocol, is_ipv6(ip) ? "IPv6" : "IPv4");
    return fmt::format("{}/{} on {}", port, protocol, ip.empty() ? "all addresses" : ip);
}

/// Ports of [first, last] that exclude `host_ip`, in order, with who has them.
struct PortHolder {
    std::uint16_t port = 0;
    std::string ip, container, project;
};
std::optional<PortHolder> next_holder(Query& rows) {
    if (!rows.step()) return std::nullopt;
    return PortHolder{.port = static_cast<std::uint16_t>(rows.integer(0)),
                      .ip = rows.text(1),
                      .container = rows.text(2),
                      .project = rows.text(3)};
}

}  // namespace

PortRecord Store::allocate_port(const std::string& container_id, const std::string& protocol,
                                const std::string& host_ip, std::uint16_t first, std::uint16_t last,
                                std::uint16_t container_port) {
    auto& db = impl_->db;
    const bool any = first == 0;
    if (any) {
        first = kEphemeralFirst;
        last = kEphemeralLast;
    }
    if (last < first) throw make_error(ErrorKind::invalid, "port range {}-{} is empty", first, last);
    PortRecord record{.container_id = container_id,
                      .protocol = protocol,
                      .host_ip = host_ip,
                      .host_port = 0,
                      .container_port = container_port};
    db.atomically([&] {
        std::uint32_t candidate = first;
        std::optional<PortHolder> in_the_way;
        {
            auto rows = db.query(
                "SELECT p.host_port, p.host_ip, c.name, c.project FROM ports p JOIN containers c ON c.id = p.container "
                "WHERE p.protocol = ?1 AND p.host_port BETWEEN ?2 AND ?3 "
                // No address is all of both families, and a wildcard all of its own.
                "AND (?4 = '' OR p.host_ip IN ('', ?4) OR "
                "((instr(p.host_ip, ':') > 0) = ?5 AND (?6 OR p.host_ip IN ('0.0.0.0', '::')))) ORDER BY p.host_port",
                protocol, first, last, host_ip, is_ipv6(host_ip), is_wildcard(host_ip));
            while (auto holder = next_holder(rows)) {
                if (holder->port > candidate) break;
                if (holder->port < candidate) continue;
                if (!in_the_way) in_the_way = std::move(holder);
                ++candidate;
            }
        }
        if (candidate > last) {
            const auto by = fmt::format("by container {} (project {})", in_the_way->container, in_the_way->project);
            if (first == last)
                throw make_error(ErrorKind::conflict, "port {} is already published {}",
                                 describe(first, protocol, in_the_way->ip), by)
                    .with_hint("stop that container, or publish another port");
            throw make_error(ErrorKind::conflict, "no port of {}-{}/{} is free: {} is already published {}", first,
                             last, protocol, describe(in_the_way->port, protocol, in_the_way->ip), by);
        }
        record.host_port = static_cast<std::uint16_t>(candidate);
        auto container = db.query("SELECT project FROM containers WHERE id = ?", container_id);
        if (!container.step())
            throw make_error(ErrorKind::not_found, "container {} does not exist", short_id(container_id));
        db.run("INSERT INTO ports VALUES (?,?,?,?,?,?)", protocol, record.host_port, host_ip, container_id,
               container.view(0), container_port);
    });
    return record;
}

void Store::release_ports(const std::string& container_id) {
    impl_->db.run("DELETE FROM ports WHERE container = ?", container_id);
}

void Store::move_ports(std::span<const PortRecord> ports, const std::string& container_id) {
    auto& db = impl_->db;
    db.atomically([&] {
        for (const auto& port : ports)
            db.run(
                "UPDATE ports SET container = ?, container_port = ? "
                "WHERE protocol = ? AND host_port = ? AND host_ip = ? AND container = ?",
                container_id, port.container_port, port.protocol, port.host_port, port.host_ip, port.container_id);
    });
}

std::string Store::port_holder_of_place(const Container& container) const {
    if (container.service.empty() || container.oneoff) return {};
    auto row = impl_->db.query(
        "SELECT c.id FROM containers c WHERE c.project = ? AND c.service = ? AND c.number = ? AND c.oneoff = 0 "
        "AND c.id <> ? AND EXISTS (SELECT 1 FROM ports p WHERE p.container = c.id)",
        container.project, container.service, container.number, container.id);
    return row.step() ? row.text(0) : std::string();
}

namespace {

std::vector<PortRecord> read_ports(Query& rows) {
    std::vector<PortRecord> out;
    while (rows.step())
        out.push_back({.container_id = rows.text(0),
                       .protocol = rows.text(1),
                       .host_ip = rows.text(2),
                       .host_port = static_cast<std::uint16_t>(rows.integer(3)),
                       .container_port = static_cast<std::uint16_t>(rows.integer(4))});
    return out;
}

}  // namespace

#define PORT_COLUMNS "container, protocol, host_ip, host_port, container_port"
#define PORT_ORDER " ORDER BY container, container_port, protocol, host_port, host_ip"

std::vector<PortRecord> Store::ports_of(const std::string& container_id) const {
    auto rows = impl_->db.query("SELECT " PORT_COLUMNS " FROM ports WHERE container = ?" PORT_ORDER, container_id);
    return read_ports(rows);
}

std::vector<PortRecord> Store::ports(const std::string& project) const {
    if (project.empty()) {
        auto rows = impl_->db.query("SELECT " PORT_COLUMNS " FROM ports" PORT_ORDER);
        return read_ports(rows);
    }
    auto rows = impl_->db.query("SELECT " PORT_COLUMNS " FROM ports WHERE project = ?" PORT_ORDER, project);
    return read_ports(rows);
}

}  // namespace compose::store
