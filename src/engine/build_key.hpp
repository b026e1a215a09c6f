// The name of a step in the cache.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"

namespace compose::engine {

/// A digest of texts that can't run into each other.
class StepKey {
public:
    explicit StepKey(std::string_view kind) { add(kind); }
    StepKey& add(std::string_view text) {
        const std::uint64_t size = text.size();
        hash_.update(&size, sizeof size);
        hash_.update(text.data(), text.size());
        return *this;
    }
    StepKey& add(const std::vector<std::string>& list) {
        add(std::to_string(list.size()));
        for (const auto& item : list) add(item);
        return *this;
    }
    [[nodiscard]] std::string hex() { return hash_.hex(); }

private:
    Sha256 hash_;
};

}  // namespace compose::engine
