// Containers as `docker ps` shows and filters them. Pure: views in, rows out.
#pragma once

#include <compose/engine.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/filters.hpp"
#include "cli/listing.hpp"

namespace compose::cli {

struct PsOptions {
    bool all = false;
    bool no_trunc = false;
    int last = -1;  // -n N; -1: no limit
    bool size = false;
};

/// What a view alone doesn't tell.
struct PsLookups {
    std::function<std::string(const std::string& id)> image_id;   // "sha256:..." of a container
    std::function<std::string(const std::string& id)> size_text;  // "12kB (virtual 4MB)"
};

[[nodiscard]] Filters ps_filters(const std::vector<std::string>& texts);
/// Those that are asked for, the newest first.
[[nodiscard]] std::vector<ContainerView> select_containers(std::vector<ContainerView> views, const Filters& filters,
                                                           const PsOptions& options, const PsLookups& lookups);
[[nodiscard]] Listing container_listing(const std::vector<ContainerView>& views, std::int64_t now_ns,
                                        const PsOptions& options, const PsLookups& lookups);

}  // namespace compose::cli
