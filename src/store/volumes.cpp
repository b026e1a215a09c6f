#include "store/impl.hpp"

namespace compose::store {

namespace {

#define VOLUME_COLUMNS "name, project, key, driver, driver_opts, labels, anonymous, config_hash, created_at"

Volume read_volume(const Query& row) {
    return {.name = row.text(0),
            .project = row.text(1),
            .key = row.text(2),
            .driver = row.text(3),
            .driver_opts = decode_map(row.view(4)),
            .labels = decode_map(row.view(5)),
            .anonymous = row.boolean(6),
            .config_hash = row.text(7),
            .created_at = row.integer(8)};
}

}  // namespace

bool Store::insert_volume(const Volume& v) {
    return impl_->db.run("INSERT INTO volumes VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO NOTHING", v.name,
                         v.project, v.key, v.driver, encode(v.driver_opts), encode(v.labels), v.anonymous,
                         v.config_hash, v.created_at) > 0;
}

std::optional<Volume> Store::volume(const std::string& name) const {
    auto row = impl_->db.query("SELECT " VOLUME_COLUMNS " FROM volumes WHERE name = ?", name);
    if (!row.step()) return std::nullopt;
    return read_volume(row);
}

std::vector<Volume> Store::volumes(const std::string& project) const {
    auto rows =
        impl_->db.query("SELECT " VOLUME_COLUMNS " FROM volumes WHERE project = ?1 OR ?1 = '' ORDER BY name", project);
    std::vector<Volume> out;
    while (rows.step()) out.push_back(read_volume(rows));
    return out;
}

std::vector<std::string> Store::volume_users(const std::string& name) const {
    auto rows = impl_->db.query(
        "SELECT c.name FROM container_volumes v JOIN containers c ON c.id = v.container WHERE v.volume = ? "
        "ORDER BY c.name",
        name);
    std::vector<std::string> out;
    while (rows.step()) out.push_back(rows.text(0));
    return out;
}

void Store::delete_volume(const std::string& name) {
    auto& db = impl_->db;
    db.atomically([&] {
        const auto users = volume_users(name);
        if (!users.empty())
            throw make_error(ErrorKind::conflict, "volume {} is in use by {} {}", name,
                             users.size() == 1 ? "container" : "containers", name_some(users));
        db.run("DELETE FROM volumes WHERE name = ?", name);
    });
}

}  // namespace compose::store
