// What earlier builds made, by the digests of all that it depends on. A connection of its own: builds run in many
// threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/layout.hpp"

namespace compose::store {

struct CachedStep {
    std::string key;       // 64 hex digits
    std::string chain_id;  // of the layer; empty: the step changed nothing, or there is only a value
    std::string diff_id;
    std::int64_t size = 0;
    std::string value;        // whatever the builder wants to find again
    std::string description;  // "RUN make"
    std::int64_t created_at = 0;
    std::int64_t used_at = 0;
};

class BuildCache {
public:
    explicit BuildCache(const Layout& layout);
    ~BuildCache();
    BuildCache(const BuildCache&) = delete;
    BuildCache& operator=(const BuildCache&) = delete;

    [[nodiscard]] std::optional<CachedStep> find(const std::string& key) const;
    void put(const CachedStep& step);
    void touch(const std::vector<std::string>& keys, std::int64_t used_at);
    void remove(const std::string& key);
    [[nodiscard]] std::vector<CachedStep> all() const;  // the one used longest ago first
    /// Removes entries that were last used before `oldest`, then the oldest until the rest is at most `size` bytes.
    /// Returns how many went. Their layers go with the next clean-up of layers.
    std::size_t trim(std::int64_t oldest, std::int64_t size);
    /// Makes what was committed so far survive a power loss.
    void sync();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose::store
