#include <set>

#include "store/impl.hpp"
#include "sys/clock.hpp"

namespace compose::store {

namespace {

Image read_image(const Query& row) {
    return {.id = row.text(0),
            .config = row.text(1),
            .layers = decode_list(row.view(2)),
            .size = row.integer(3),
            .created_at = row.integer(4)};
}

}  // namespace

void Store::put_image(const Image& image) {
    // The id is the digest of the config: a second one of that id can only say the same.
    impl_->db.run(
        "INSERT INTO images VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET config = excluded.config, "
        "layers = excluded.layers, size = excluded.size",
        image.id, image.config, encode(image.layers), image.size, image.created_at);
}

void Store::tag_image(const std::string& reference, const std::string& image_id) {
    auto& db = impl_->db;
    db.atomically([&] {
        auto row = db.query("SELECT 1 FROM images WHERE id = ?", image_id);
        if (!row.step()) throw make_error(ErrorKind::not_found, "image {} does not exist", image_id);
        db.run(
            "INSERT INTO image_names VALUES (?,?,?,0) ON CONFLICT (reference) DO UPDATE SET image = excluded.image, "
            "tagged_at = excluded.tagged_at",
            reference, image_id, static_cast<std::int64_t>(sys::wall_now().time_since_epoch().count()));
    });
}

std::optional<Image> Store::image(const std::string& id) const {
    auto row = impl_->db.query("SELECT id, config, layers, size, created_at FROM images WHERE id = ?", id);
    if (!row.step()) return std::nullopt;
    return read_image(row);
}

std::optional<Image> Store::image_by_reference(const std::string& reference) const {
    auto row = impl_->db.query(
        "SELECT i.id, i.config, i.layers, i.size, i.created_at FROM image_names n JOIN images i ON i.id = n.image "
        "WHERE n.reference = ?",
        reference);
    if (!row.step()) return std::nullopt;
    return read_image(row);
}

std::vector<Image> Store::images() const {
    auto rows = impl_->db.query("SELECT id, config, layers, size, created_at FROM images ORDER BY created_at DESC, id");
    std::vector<Image> out;
    while (rows.step()) out.push_back(read_image(rows));
    return out;
}

std::vector<ImageName> Store::image_names() const {
    auto rows = impl_->db.query("SELECT reference, image, tagged_at, pulled_at FROM image_names ORDER BY reference");
    std::vector<ImageName> out;
    while (rows.step())
        out.push_back({.reference = rows.text(0),
                       .image_id = rows.text(1),
                       .tagged_at = rows.integer(2),
                       .pulled_at = rows.integer(3)});
    return out;
}

void Store::untag_image(const std::string& reference) {
    impl_->db.run("DELETE FROM image_names WHERE reference = ?", reference);
}

void Store::delete_image(const std::string& id) {
    auto& db = impl_->db;
    db.atomically([&] {
        const auto users = image_users(id);
        if (!users.empty())
            throw make_error(ErrorKind::conflict, "image {} is in use by {} {}", id.substr(0, 19),
                             users.size() == 1 ? "container" : "containers", name_some(users));
        db.run("DELETE FROM images WHERE id = ?", id);
    });
}

std::vector<std::string> Store::layers_in_use() const {
    auto rows = impl_->db.query("SELECT layers FROM images");
    std::set<std::string> layers;
    while (rows.step())
        for (auto& layer : decode_list(rows.view(0))) layers.insert(std::move(layer));
    auto built = impl_->db.query("SELECT chain FROM build_cache WHERE chain <> ''");
    while (built.step()) layers.insert(built.text(0));
    return {layers.begin(), layers.end()};
}

}  // namespace compose::store
