#include <algorithm>

#include "base/ids.hpp"
#include "store/impl.hpp"
#include "store/ipv4.hpp"

namespace compose::store {

namespace {

#define CONTAINER_COLUMNS                                                                                            \
    "c.id, c.name, c.project, c.service, c.number, c.oneoff, c.config_hash, c.labels, c.created_at, c.image, "       \
    "c.image_id, c.restart, c.stop_signal, c.stop_timeout, c.dns, c.log, c.health_check, r.state, r.health, r.pid, " \
    "r.pid_start_time, r.started_at, r.finished_at, r.exit_code, r.oom_killed, r.stopped_by_user, r.restart_count, " \
    "r.error, r.boot_id, c.wished_ports, c.options"
#define CONTAINER_TABLES " FROM containers c JOIN container_runtime r ON r.container = c.row "
#define CONTAINER_WITH_SPEC \
    "SELECT " CONTAINER_COLUMNS ", s.spec" CONTAINER_TABLES "JOIN container_specs s ON s.container = c.row "

ContainerState parse_state(std::string_view text) {
    for (const auto state : {ContainerState::created, ContainerState::running, ContainerState::restarting,
                             ContainerState::exited, ContainerState::dead, ContainerState::paused})
        if (text == to_string(state)) return state;
    return ContainerState::dead;
}

Health parse_health(std::string_view text) {
    for (const auto health : {Health::none, Health::starting, Health::healthy, Health::unhealthy})
        if (text == to_string(health)) return health;
    return Health::none;
}

Container read_container(const Query& row, bool with_spec) {
    Container c;
    c.id = row.text(0);
    c.name = row.text(1);
    c.project = row.text(2);
    c.service = row.text(3);
    c.number = row.number(4);
    c.oneoff = row.boolean(5);
    c.config_hash = row.text(6);
    c.labels = decode_map(row.view(7));
    c.created_at = row.integer(8);
    c.config.image = row.text(9);
    c.config.image_id = row.text(10);
    c.config.restart = row.text(11);
    c.config.stop_signal = row.number(12);
    c.config.stop_timeout_ns = row.integer(13);
    c.config.dns = decode_list(row.view(14));
    c.config.log = row.boolean(15);
    c.config.health_json = row.text(16);
    c.state = parse_state(row.view(17));
    c.health = parse_health(row.view(18));
    c.pid = row.number(19);
    c.pid_start_time = static_cast<std::uint64_t>(row.integer(20));
    c.started_at = row.integer(21);
    c.finished_at = row.integer(22);
    c.exit_code = row.number(23);
    c.oom_killed = row.boolean(24);
    c.stopped_by_user = row.boolean(25);
    c.restart_count = row.number(26);
    c.error = row.text(27);
    c.boot_id = row.text(28);
    c.config.ports_json = row.text(29);
    c.config.options_json = row.text(30);
    if (with_spec) c.config.spec = row.text(31);
    return c;
}

std::vector<Container> read_all(Query& rows, bool with_spec) {
    std::vector<Container> out;
    while (rows.step()) out.push_back(read_container(rows, with_spec));
    return out;
}

void check_name_free(Database& db, const std::string& name) {
    auto row = db.query("SELECT id, project FROM containers WHERE name = ?", name);
    if (!row.step()) return;
    throw make_error(ErrorKind::conflict, "container name \"{}\" is already in use by container {} (project {})", name,
                     short_id(row.text(0)), row.view(1))
        .with_hint("remove or rename that container, or use another name");
}

void insert_rows(Database& db, const Container& c, const ContainerTexts& texts) {
    db.run("INSERT INTO containers VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", c.id, c.name, c.project,
           c.service, c.number, c.oneoff, c.config_hash, encode(c.labels), c.created_at, c.config.image,
           c.config.image_id, c.config.restart, c.config.stop_signal, c.config.stop_timeout_ns, encode(c.config.dns),
           c.config.log, c.config.health_json, c.config.ports_json, c.config.options_json);
    const auto row = db.last_row();
    db.run("INSERT INTO container_specs VALUES (?,?,?,?,?,?)", row, c.config.spec, texts.definition,
           encode(texts.contents), encode(texts.value_files), texts.request);
    db.run("INSERT INTO container_runtime VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", row, to_string(c.state),
           to_string(c.health), c.pid, c.pid_start_time, c.started_at, c.finished_at, c.exit_code, c.oom_killed,
           c.stopped_by_user, c.restart_count, c.error, c.boot_id);
}

void insert_endpoint(Database& db, const Container& container, const Endpoint& e) {
    auto network = db.query("SELECT name FROM networks WHERE id = ?", e.network_id);
    if (!network.step()) throw make_error(ErrorKind::not_found, "network {} does not exist", short_id(e.network_id));
    std::optional<std::int64_t> value;
    if (const auto address = parse_ipv4(e.address)) value = *address;
    auto taken = db.query(
        "SELECT c.name, c.project FROM endpoints e JOIN containers c ON c.id = e.container "
        "WHERE e.network = ? AND e.address_value = ?",
        e.network_id, value);
    if (taken.step())
        throw make_error(ErrorKind::conflict, "address {} in network {} is already in use by container {} (project {})",
                         e.address, network.view(0), taken.view(0), taken.view(1));
    db.run("INSERT INTO endpoints VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", container.id, e.network_id,
           container.project, e.index, e.address, value, e.mac, e.interface, encode(e.aliases), e.default_route, e.name,
           encode(e.link_local), e.gw_priority, encode(e.sysctls), e.number);
}

Endpoint read_endpoint(const Query& row) {
    return {.container_id = row.text(0),
            .network_id = row.text(1),
            .index = row.number(2),
            .address = row.text(3),
            .mac = row.text(4),
            .interface = row.text(5),
            .aliases = decode_list(row.view(6)),
            .default_route = row.boolean(7),
            .name = row.text(8),
            .link_local = decode_list(row.view(9)),
            .gw_priority = row.number(10),
            .sysctls = decode_list(row.view(11)),
            .number = row.number(12)};
}

}  // namespace

void Store::insert_container(const Container& container, std::span<const Endpoint> endpoints,
                             std::span<const std::string> volumes, const ContainerTexts& texts) {
    auto& db = impl_->db;
    db.atomically([&] {
        check_name_free(db, container.name);
        if (!container.config.image_id.empty()) {
            // In the same transaction, so that an image cannot be removed between its resolution and its first use.
            auto image = db.query("SELECT 1 FROM images WHERE id = ?", container.config.image_id);
            if (!image.step())
                throw make_error(ErrorKind::not_found, "image {} ({}) does not exist", container.config.image,
                                 container.config.image_id);
        }
        insert_rows(db, container, texts);
        for (const auto& endpoint : endpoints) insert_endpoint(db, container, endpoint);
        for (const auto& volume : volumes) {
            auto row = db.query("SELECT 1 FROM volumes WHERE name = ?", volume);
            if (!row.step()) throw make_error(ErrorKind::not_found, "volume {} does not exist", volume);
            db.run("INSERT OR IGNORE INTO container_volumes VALUES (?,?)", container.id, volume);
        }
    });
}

std::optional<Container> Store::container(const std::string& id) const {
    auto row = impl_->db.query(CONTAINER_WITH_SPEC "WHERE c.id = ?", id);
    if (!row.step()) return std::nullopt;
    return read_container(row, true);
}

std::optional<Container> Store::container_by_name(const std::string& name) const {
    auto row = impl_->db.query(CONTAINER_WITH_SPEC "WHERE c.name = ?", name);
    if (!row.step()) return std::nullopt;
    return read_container(row, true);
}

std::vector<Container> Store::containers(const std::string& project) const {
    auto& db = impl_->db;
    std::vector<Container> out;
    if (project.empty()) {
        auto rows = db.query(CONTAINER_WITH_SPEC "ORDER BY c.name");
        out = read_all(rows, true);
    } else {
        auto rows = db.query(CONTAINER_WITH_SPEC "WHERE c.project = ? ORDER BY c.name", project);
        out = read_all(rows, true);
    }
    // A supervisor does this once, when it starts, and stays.
    db.release_memory();
    return out;
}

std::vector<Container> Store::containers_without_spec(const std::string& project) const {
    if (project.empty()) {
        auto rows = impl_->db.query("SELECT " CONTAINER_COLUMNS CONTAINER_TABLES "ORDER BY c.name");
        return read_all(rows, false);
    }
    auto rows =
        impl_->db.query("SELECT " CONTAINER_COLUMNS CONTAINER_TABLES "WHERE c.project = ? ORDER BY c.name", project);
    return read_all(rows, false);
}

ContainerTexts Store::container_texts(const std::string& id) const {
    auto row = impl_->db.query(
        "SELECT definition, contents, value_files, request FROM container_specs "
        "WHERE container = (SELECT row FROM containers WHERE id = ?)",
        id);
    if (!row.step()) return {};
    return {.definition = row.text(0),
            .contents = decode_map(row.view(1)),
            .value_files = decode_map(row.view(2)),
            .request = row.text(3)};
}

void Store::update_runtime(const Container& c) {
    impl_->db.run(
        "UPDATE container_runtime SET state = ?, health = ?, pid = ?, pid_start_time = ?, started_at = ?, "
        "finished_at = ?, exit_code = ?, oom_killed = ?, stopped_by_user = ?, restart_count = ?, error = ?, "
        "boot_id = ? WHERE container = (SELECT row FROM containers WHERE id = ?)",
        to_string(c.state), to_string(c.health), c.pid, c.pid_start_time, c.started_at, c.finished_at, c.exit_code,
        c.oom_killed, c.stopped_by_user, c.restart_count, c.error, c.boot_id, c.id);
}

void Store::rename_container(const std::string& id, const std::string& name) {
    auto& db = impl_->db;
    db.atomically([&] {
        auto row = db.query("SELECT name FROM containers WHERE id = ?", id);
        if (!row.step()) throw make_error(ErrorKind::not_found, "container {} does not exist", short_id(id));
        if (row.view(0) == name) return;
        check_name_free(db, name);
        db.run("UPDATE containers SET name = ? WHERE id = ?", name, id);
    });
}

void Store::update_spec(const std::string& id, const std::string& spec) {
    impl_->db.run("UPDATE container_specs SET spec = ? WHERE container = (SELECT row FROM containers WHERE id = ?)",
                  spec, id);
}

void Store::update_restart(const std::string& id, const std::string& policy) {
    impl_->db.run("UPDATE containers SET restart = ? WHERE id = ?", policy, id);
}

void Store::update_options(const std::string& id, const std::string& options_json) {
    impl_->db.run("UPDATE containers SET options = ? WHERE id = ?", options_json, id);
}

void Store::update_aliases(const Endpoint& endpoint) {
    impl_->db.run("UPDATE endpoints SET aliases = ? WHERE container = ? AND network = ?", encode(endpoint.aliases),
                  endpoint.container_id, endpoint.network_id);
}

void Store::add_endpoint(const Endpoint& endpoint) {
    auto& db = impl_->db;
    db.atomically([&] {
        const auto row = container(endpoint.container_id);
        if (!row) throw make_error(ErrorKind::not_found, "there is no container {}", short_id(endpoint.container_id));
        for (const Endpoint& other : endpoints_of(row->id))
            if (other.network_id == endpoint.network_id)
                throw make_error(ErrorKind::conflict, "container {} is connected to this network already", row->name);
        insert_endpoint(db, *row, endpoint);
    });
}

void Store::set_default_route(const std::string& container_id, const std::string& network_id) {
    impl_->db.run("UPDATE endpoints SET default_route = (network = ?) WHERE container = ?", network_id, container_id);
}

bool Store::remove_endpoint(const std::string& container_id, const std::string& network_id) {
    return impl_->db.run("DELETE FROM endpoints WHERE container = ? AND network = ?", container_id, network_id) > 0;
}

void Store::delete_container(const std::string& id) {
    impl_->db.run("DELETE FROM containers WHERE id = ?", id);
}

std::vector<std::string> Store::volumes_of(const std::string& container_id) const {
    auto rows =
        impl_->db.query("SELECT volume FROM container_volumes WHERE container = ? ORDER BY volume", container_id);
    std::vector<std::string> out;
    while (rows.step()) out.push_back(rows.text(0));
    return out;
}

std::vector<std::string> Store::projects() const {
    auto rows = impl_->db.query("SELECT DISTINCT project FROM containers ORDER BY project");
    std::vector<std::string> out;
    while (rows.step()) out.push_back(rows.text(0));
    return out;
}

#define ENDPOINT_COLUMNS                                                                                             \
    "container, network, position, address, mac, interface, aliases, default_route, name, link_local, gw_priority, " \
    "sysctls, number"

std::vector<Endpoint> Store::endpoints_of(const std::string& container_id) const {
    auto rows = impl_->db.query("SELECT " ENDPOINT_COLUMNS " FROM endpoints WHERE container = ? ORDER BY position",
                                container_id);
    std::vector<Endpoint> out;
    while (rows.step()) out.push_back(read_endpoint(rows));
    return out;
}

std::vector<Endpoint> Store::endpoints_on(const std::string& network_id) const {
    auto rows = impl_->db.query(
        "SELECT " ENDPOINT_COLUMNS " FROM endpoints WHERE network = ? ORDER BY address_value, container", network_id);
    std::vector<Endpoint> out;
    while (rows.step()) out.push_back(read_endpoint(rows));
    return out;
}

std::vector<Endpoint> Store::endpoints(const std::string& project) const {
    std::vector<Endpoint> out;
    if (project.empty()) {
        auto rows = impl_->db.query("SELECT " ENDPOINT_COLUMNS " FROM endpoints ORDER BY container, position");
        while (rows.step()) out.push_back(read_endpoint(rows));
        return out;
    }
    auto rows = impl_->db.query(
        "SELECT " ENDPOINT_COLUMNS " FROM endpoints WHERE project = ? ORDER BY container, position", project);
    while (rows.step()) out.push_back(read_endpoint(rows));
    return out;
}

std::vector<std::pair<std::string, std::string>> Store::volume_uses(const std::string& project) const {
    auto rows = impl_->db.query(
        "SELECT v.container, v.volume FROM containers c JOIN container_volumes v ON v.container = c.id "
        "WHERE c.project = ?1 OR ?1 = '' ORDER BY v.container, v.volume",
        project);
    std::vector<std::pair<std::string, std::string>> out;
    while (rows.step()) out.emplace_back(rows.text(0), rows.text(1));
    return out;
}

}  // namespace compose::store
