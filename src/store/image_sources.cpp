// Where images came from: digests, manifests, sizes of layers, times of pulls.
#include "store/impl.hpp"
#include "sys/clock.hpp"

namespace compose::store {

namespace {

std::int64_t now() {
    return static_cast<std::int64_t>(sys::wall_now().time_since_epoch().count());
}

template <class Row>
LayerBlob layer_blob_in(const Row& row) {
    return {.chain_id = row.text(0),
            .diff_id = row.text(1),
            .media_type = row.text(2),
            .digest = row.text(3),
            .size = row.integer(4)};
}

}  // namespace

void Store::mark_pulled(const std::string& reference) {
    impl_->db.run("UPDATE image_names SET pulled_at = ? WHERE reference = ?", now(), reference);
}

void Store::put_image_digest(const ImageDigest& digest) {
    impl_->db.run(
        "INSERT INTO image_digests VALUES (?,?,?,?) ON CONFLICT (repository, digest) DO UPDATE SET "
        "image = excluded.image, pulled_at = excluded.pulled_at",
        digest.repository, digest.digest, digest.image_id, now());
}

void Store::delete_image_digest(const std::string& repository, const std::string& digest) {
    impl_->db.run("DELETE FROM image_digests WHERE repository = ? AND digest = ?", repository, digest);
}

std::vector<ImageDigest> Store::image_digests() const {
    auto rows =
        impl_->db.query("SELECT repository, digest, image, pulled_at FROM image_digests ORDER BY repository, digest");
    std::vector<ImageDigest> out;
    while (rows.step())
        out.push_back({.repository = rows.text(0),
                       .digest = rows.text(1),
                       .image_id = rows.text(2),
                       .pulled_at = rows.integer(3)});
    return out;
}

std::optional<Image> Store::image_by_digest(const std::string& repository, const std::string& digest) const {
    std::string id;
    {
        auto row =
            impl_->db.query("SELECT image FROM image_digests WHERE repository = ? AND digest = ?", repository, digest);
        if (!row.step()) return std::nullopt;
        id = row.text(0);
    }
    return image(id);
}

void Store::put_image_manifest(const ImageManifest& manifest) {
    impl_->db.run(
        "INSERT INTO image_manifests VALUES (?,?,?) ON CONFLICT (image) DO UPDATE SET digest = excluded.digest, "
        "content = excluded.content",
        manifest.image_id, manifest.digest, manifest.content);
}

std::optional<ImageManifest> Store::image_manifest(const std::string& image_id) const {
    auto row = impl_->db.query("SELECT image, digest, content FROM image_manifests WHERE image = ?", image_id);
    if (!row.step()) return std::nullopt;
    return ImageManifest{.image_id = row.text(0), .digest = row.text(1), .content = row.text(2)};
}

std::vector<ImageManifest> Store::image_manifests() const {
    auto rows = impl_->db.query("SELECT image, digest, content FROM image_manifests ORDER BY image");
    std::vector<ImageManifest> out;
    while (rows.step()) out.push_back({.image_id = rows.text(0), .digest = rows.text(1), .content = rows.text(2)});
    return out;
}

void Store::put_layer_size(const std::string& chain_id, std::int64_t size) {
    impl_->db.run("INSERT INTO layer_sizes VALUES (?,?) ON CONFLICT (chain) DO UPDATE SET size = excluded.size",
                  chain_id, size);
}

std::int64_t Store::layer_size(const std::string& chain_id) const {
    auto row = impl_->db.query("SELECT size FROM layer_sizes WHERE chain = ?", chain_id);
    return row.step() ? row.integer(0) : -1;
}

void Store::put_layer_blob(const LayerBlob& blob) {
    impl_->db.run(
        "INSERT INTO layer_blobs VALUES (?,?,?,?,?) ON CONFLICT (chain) DO UPDATE SET diff = excluded.diff, "
        "media_type = excluded.media_type, digest = excluded.digest, size = excluded.size",
        blob.chain_id, blob.diff_id, blob.media_type, blob.digest, blob.size);
}

std::optional<LayerBlob> Store::layer_blob(const std::string& chain_id) const {
    auto row =
        impl_->db.query("SELECT chain, diff, media_type, digest, size FROM layer_blobs WHERE chain = ?", chain_id);
    if (!row.step()) return std::nullopt;
    return layer_blob_in(row);
}

std::vector<LayerBlob> Store::layer_blobs() const {
    auto rows = impl_->db.query("SELECT chain, diff, media_type, digest, size FROM layer_blobs ORDER BY chain");
    std::vector<LayerBlob> out;
    while (rows.step()) out.push_back(layer_blob_in(rows));
    return out;
}

void Store::forget_layer(const std::string& chain_id) {
    impl_->db.run("DELETE FROM layer_sizes WHERE chain = ?", chain_id);
    impl_->db.run("DELETE FROM layer_blobs WHERE chain = ?", chain_id);
}

std::vector<std::string> Store::image_users(const std::string& id) const {
    auto rows = impl_->db.query("SELECT name FROM containers WHERE image_id = ? ORDER BY name", id);
    std::vector<std::string> users;
    while (rows.step()) users.push_back(rows.text(0));
    return users;
}

}  // namespace compose::store
