// Compose files that were fetched from elsewhere (see FileSource::fetch) and stay on the disk.
#pragma once

#include <chrono>
#include <compose/engine.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace compose {

struct PrunedCopies {
    std::vector<std::string> folders;  // absolute
    std::int64_t freed = 0;            // bytes
};

/// Removes copies that no command has read for `age`, and that no container and no volume has to do with.
PrunedCopies prune_copies(const EngineOptions& options, std::chrono::seconds age);

}  // namespace compose
