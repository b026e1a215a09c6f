// What containers use, as `stats` shows it. Pure.
#pragma once

#include <compose/containers.hpp>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "cli/listing.hpp"

namespace compose::cli {

/// "1.5MiB": powers of 1024, four significant digits.
[[nodiscard]] std::string binary_size(double bytes);
/// "1.2kB": powers of 1000, three significant digits.
[[nodiscard]] std::string decimal_size(double bytes);

/// Docker's "raw".
inline constexpr const char* kRawStats =
    "container_id: {{.ID}}\nname: {{.Name}}\ncpu_percent: {{.CPUPerc}}\nmemory_usage: {{.MemUsage}}\n"
    "memory_percent: {{.MemPerc}}\nnetwork_io: {{.NetIO}}\nblock_io: {{.BlockIO}}\npids: {{.PIDs}}\n";

/// Two samples of a container make its rates; `before` may be missing.
struct StatsRow {
    std::string id, name;
    std::optional<ContainerStats> before, now;
};
[[nodiscard]] Listing stats_listing(const std::vector<StatsRow>& rows, bool whole_ids);

}  // namespace compose::cli
