#include "store/build_cache.hpp"

#include "store/database.hpp"

namespace compose::store {

struct BuildCache::Impl {
    explicit Impl(const Layout& layout) : db(layout.database()) {}
    Database db;
};

namespace {
CachedStep read_step(const Query& row) {
    return {.key = row.text(0),
            .chain_id = row.text(1),
            .diff_id = row.text(2),
            .size = row.integer(3),
            .value = row.text(4),
            .description = row.text(5),
            .created_at = row.integer(6),
            .used_at = row.integer(7)};
}
}  // namespace

BuildCache::BuildCache(const Layout& layout) : impl_(std::make_unique<Impl>(layout)) {}
BuildCache::~BuildCache() = default;

std::optional<CachedStep> BuildCache::find(const std::string& key) const {
    auto row = impl_->db.query(
        "SELECT key, chain, diff, size, value, description, created_at, used_at FROM build_cache WHERE key = ?", key);
    if (!row.step()) return std::nullopt;
    return read_step(row);
}

void BuildCache::put(const CachedStep& step) {
    impl_->db.run("INSERT OR REPLACE INTO build_cache VALUES (?,?,?,?,?,?,?,?)", step.key, step.chain_id, step.diff_id,
                  step.size, step.value, step.description, step.created_at, step.used_at);
}

void BuildCache::touch(const std::vector<std::string>& keys, std::int64_t used_at) {
    auto& db = impl_->db;
    db.atomically([&] {
        for (const auto& key : keys) db.run("UPDATE build_cache SET used_at = ? WHERE key = ?", used_at, key);
    });
}

void BuildCache::remove(const std::string& key) {
    impl_->db.run("DELETE FROM build_cache WHERE key = ?", key);
}

std::vector<CachedStep> BuildCache::all() const {
    auto rows = impl_->db.query(
        "SELECT key, chain, diff, size, value, description, created_at, used_at FROM build_cache ORDER BY used_at, "
        "key");
    std::vector<CachedStep> out;
    while (rows.step()) out.push_back(read_step(rows));
    return out;
}

std::size_t BuildCache::trim(std::int64_t oldest, std::int64_t size) {
    std::int64_t total = 0;
    std::vector<std::string> doomed;
    const auto steps = all();
    for (const auto& step : steps) total += step.size;
    for (const auto& step : steps) {
        if (step.used_at >= oldest && total <= size) break;
        doomed.push_back(step.key);
        total -= step.size;
    }
    if (doomed.empty()) return 0;
    impl_->db.atomically([&] {
        for (const auto& key : doomed) remove(key);
    });
    return doomed.size();
}

void BuildCache::sync() {
    impl_->db.sync();
}

}  // namespace compose::store
