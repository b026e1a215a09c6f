#include "base/ids.hpp"
#include "store/impl.hpp"
#include "store/pools.hpp"
#include "store/subnets.hpp"

namespace compose::store {

namespace {

#define NETWORK_COLUMNS                                                                                             \
    "id, name, project, key, driver, subnet, gateway, bridge, internal, attachable, options, labels, config_hash, " \
    "created_at, definition"

Network read_network(const Query& row) {
    return {.id = row.text(0),
            .name = row.text(1),
            .project = row.text(2),
            .key = row.text(3),
            .driver = row.text(4),
            .subnet = row.text(5),
            .gateway = row.text(6),
            .bridge = row.text(7),
            .internal = row.boolean(8),
            .attachable = row.boolean(9),
            .options = decode_map(row.view(10)),
            .labels = decode_map(row.view(11)),
            .config_hash = row.text(12),
            .created_at = row.integer(13),
            .definition = row.text(14)};
}

struct NamedRange {
    Range range;
    std::string network, project;
};

std::vector<NamedRange> used_ranges(Database& db) {
    auto rows = db.query("SELECT subnet, name, project, options FROM networks");
    std::vector<NamedRange> out;
    const auto add = [&](std::string_view subnet) {
        if (const auto range = parse_range(subnet)) out.push_back({*range, rows.text(1), rows.text(2)});
    };
    while (rows.step()) {
        add(rows.view(0));
        if (rows.view(3).find("more") == std::string_view::npos) continue;
        if (const auto options = decode_map(rows.view(3)); options.contains("more"))
            for (const Pool& pool : decode_pools(options.at("more"))) add(pool.subnet);
    }
    return out;
}

void check_no_overlap(const std::vector<NamedRange>& used, const Range& range) {
    for (const auto& other : used)
        if (other.range.overlaps(range))
            throw make_error(ErrorKind::conflict, "subnet {} overlaps {} of network {} (project {})",
                             format_range(range), format_range(other.range), other.network, other.project)
                .with_hint("choose another subnet, or remove that network");
}

void fill_in_subnet(Database& db, Network& network, std::span<const std::string> avoid) {
    const auto used = used_ranges(db);
    Range range;
    if (network.subnet.empty()) {
        std::vector<Range> ranges;
        for (const auto& other : used) ranges.push_back(other.range);
        range = choose_subnet(ranges, avoid);
    } else {
        range = check_subnet(network.subnet);
        check_no_overlap(used, range);
    }
    network.gateway = format_ipv4(check_gateway(range, network.gateway));
    network.subnet = format_range(range);
    for (const Pool& pool : pools_of(network, false))
        if (pool.subnet != network.subnet) check_no_overlap(used, check_subnet(pool.subnet));
}

std::optional<std::int64_t> range_end(const std::string& subnet, bool last) {
    const auto range = parse_range(subnet);
    if (!range) return std::nullopt;
    return last ? range->last : range->first;
}

}  // namespace

void Store::insert_network(Network& network, std::span<const std::string> avoid) {
    auto& db = impl_->db;
    Network filled = network;
    db.atomically([&] {
        auto taken = db.query("SELECT id, project FROM networks WHERE name = ?", filled.name);
        if (taken.step())
            throw make_error(ErrorKind::conflict, "network name \"{}\" is already in use by network {} (project {})",
                             filled.name, short_id(taken.text(0)), taken.view(1));
        // The host's own network and none have no addresses of their own.
        const bool addressed = filled.driver == "bridge" || is_stacked(filled);
        if (addressed && has_ipv4(filled)) fill_in_subnet(db, filled, avoid);
        db.run("INSERT INTO networks VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", filled.id, filled.name,
               filled.project, filled.key, filled.driver, filled.subnet, range_end(filled.subnet, false),
               range_end(filled.subnet, true), filled.gateway, filled.bridge, filled.internal, filled.attachable,
               encode(filled.options), encode(filled.labels), filled.config_hash, filled.created_at, filled.definition);
    });
    network = std::move(filled);
}

void Store::update_labels(const Network& network) {
    impl_->db.run("UPDATE networks SET labels = ?, config_hash = ?, definition = ? WHERE id = ?",
                  encode(network.labels), network.config_hash, network.definition, network.id);
}

std::optional<Network> Store::network(const std::string& id) const {
    auto row = impl_->db.query("SELECT " NETWORK_COLUMNS " FROM networks WHERE id = ?", id);
    if (!row.step()) return std::nullopt;
    return read_network(row);
}

std::optional<Network> Store::network_by_name(const std::string& name) const {
    auto row = impl_->db.query("SELECT " NETWORK_COLUMNS " FROM networks WHERE name = ?", name);
    if (!row.step()) return std::nullopt;
    return read_network(row);
}

std::vector<Network> Store::networks(const std::string& project) const {
    auto rows = impl_->db.query("SELECT " NETWORK_COLUMNS " FROM networks WHERE project = ?1 OR ?1 = '' ORDER BY name",
                                project);
    std::vector<Network> out;
    while (rows.step()) out.push_back(read_network(rows));
    return out;
}

void Store::delete_network(const std::string& id) {
    auto& db = impl_->db;
    db.atomically([&] {
        std::vector<std::string> users;
        {
            auto rows = db.query(
                "SELECT c.name FROM endpoints e JOIN containers c ON c.id = e.container WHERE e.network = ? "
                "ORDER BY c.name",
                id);
            while (rows.step()) users.push_back(rows.text(0));
        }
        if (!users.empty()) {
            const auto known = network(id);
            throw make_error(ErrorKind::conflict, "network {} is in use by {} {}", known ? known->name : id,
                             users.size() == 1 ? "container" : "containers", name_some(users));
        }
        db.run("DELETE FROM networks WHERE id = ?", id);
    });
}

}  // namespace compose::store
