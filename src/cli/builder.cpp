// builder prune|du and the commands of buildx that scripts call: the one builder there is, and what it keeps.
#include "cli/builder.hpp"

#include <compose/build_cache.hpp>
#include <compose/objects.hpp>
#include <compose/version.hpp>
#include <limits>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/build_arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/flag_values.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

constexpr const char* kBuilder = "default";

/// --filter of prune and du.
class EntryFilter {
public:
    explicit EntryFilter(const std::vector<std::string>& texts)
        : filters_(texts, {"description", "id", "private", "shared", "until"}), until_(until_filter(filters_)) {}

    [[nodiscard]] bool wanted(const BuildCacheEntry& entry) const {
        return entry.used_at < until_ &&
               filters_.any("id", [&](const auto& text) { return !text.empty() && entry.id.starts_with(text); }) &&
               filters_.any("description", [&](const auto& text) { return matches(text, entry.description); }) &&
               (!filters_.has("shared") || filters_.truth("shared", false) == entry.shared) &&
               (!filters_.has("private") || filters_.truth("private", false) != entry.shared);
    }

private:
    Filters filters_;
    std::int64_t until_;  // nanoseconds since 1970
};

struct PruneArgs {
    std::vector<std::string> filters;
    bool all = false, force = false, verbose = false;
    std::string reserved, most;
};

int prune(Context& context, const PruneArgs& args) {
    context.refuse_dry_run("builder prune");
    const EntryFilter filter(args.filters);
    std::int64_t keep = 0;
    if (!args.reserved.empty()) keep = bytes_flag("--reserved-space", args.reserved);
    if (!args.most.empty()) keep = std::max(keep, bytes_flag("--max-used-space", args.most));
    const char* const what = args.all ? "WARNING! This will remove all that builds have kept for the next time."
                                      : "WARNING! This will remove what builds have kept and no image shares.";
    if (!args.force && !confirm(what)) return 0;
    std::string removed;
    const auto wanted = [&](const BuildCacheEntry& entry) {
        if ((entry.shared && !args.all) || !filter.wanted(entry)) return false;
        if (args.verbose)
            removed += fmt::format("{}\t{}\t{}\n", short_id(entry.id), human_size(entry.size), entry.description);
        return true;
    };
    const auto pruned = prune_build_cache(context.engine_options(), wanted, keep);
    print(removed + fmt::format("Total reclaimed space: {}\n", human_size(pruned.freed)));
    return 0;
}

struct DuArgs {
    std::vector<std::string> filters;
    std::string format;
    bool verbose = false;
};

int du(Context& context, const DuArgs& args) {
    const EntryFilter filter(args.filters);
    const auto now = sys::wall_now().time_since_epoch().count();
    Listing listing;
    listing.columns = {{"ID", "ID"}, {"Reclaimable", "RECLAIMABLE"}, {"Size", "SIZE"}, {"LastUsedAt", "LAST ACCESSED"}};
    if (args.verbose) listing.columns.push_back({"Description", "DESCRIPTION"});
    listing.more = {{"CreatedAt", "CREATED AT"}, {"Description", "DESCRIPTION"}, {"Shared", "SHARED"}};
    std::int64_t total = 0, reclaimable = 0;
    for (const auto& entry : build_cache_entries(context.engine_options())) {
        if (!filter.wanted(entry)) continue;
        total += entry.size;
        if (!entry.shared) reclaimable += entry.size;
        listing.rows.push_back({{"ID", short_id(entry.id)},
                                {"CreatedAt", render_time(entry.created_at)},
                                {"Description", entry.description},
                                {"LastUsedAt", render_age(entry.used_at, now)},
                                {"Reclaimable", entry.shared ? "false" : "true"},
                                {"Shared", entry.shared ? "true" : "false"},
                                {"Size", human_size(entry.size)}});
    }
    auto out = render_listing(listing, args.format, false);
    if (args.format.empty())
        out += fmt::format("Reclaimable:\t{}\nTotal:\t\t{}\n", human_size(reclaimable), human_size(total));
    print(out);
    return 0;
}

std::string platform_of(const Context& context) {
    return "linux/" + host_description(context.engine_options()).architecture;
}

int list_builders(Context& context, const std::string& format) {
    Listing listing;
    listing.columns = {{"Name", "NAME/NODE"},
                       {"DriverEndpoint", "DRIVER/ENDPOINT"},
                       {"Status", "STATUS"},
                       {"Buildkit", "BUILDKIT"},
                       {"Platforms", "PLATFORMS"}};
    listing.more = {{"Current", "CURRENT"}};
    const bool table = format.empty() || format.starts_with("table");
    listing.rows.push_back({{"Name", std::string(kBuilder) + (table ? "*" : "")},
                            {"DriverEndpoint", "compose"},
                            {"Status", "running"},
                            {"Buildkit", "compose " + std::string(kVersion)},
                            {"Platforms", platform_of(context)},
                            {"Current", "true"}});
    print(render_listing(listing, format, false));
    return 0;
}

}  // namespace

Run define_builder_prune(Arguments& arguments) {
    const auto args = std::make_shared<PruneArgs>();
    arguments.text(
        "Removes steps of builds that no image shares, the caches of RUN --mount, and the layers that nothing needs.\n"
        "The next build makes them again.");
    arguments.flag("-a,--all", args->all, "Those too that an image shares");
    arguments.list("--filter", args->filters, "KEY=VALUE",
                   "Only those: until=24h (last use), id=, description=, shared=");
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.value("--reserved-space,--keep-storage", args->reserved, "BYTES", "Keep so much: 10gb");
    arguments.value("--max-used-space", args->most, "BYTES", "The same");
    arguments.flag("--verbose", args->verbose, "Show what goes");
    arguments.refuse("--min-free-space", "say how much builds may keep: --max-used-space");
    return [args](Context& context) { return prune(context, *args); };
}

Run define_builder_du(Arguments& arguments) {
    const auto args = std::make_shared<DuArgs>();
    arguments.text("What builds keep for the next time.");
    arguments.list("--filter", args->filters, "KEY=VALUE",
                   "Only those: until=24h (last use), id=, description=, shared=");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    arguments.flag("--verbose", args->verbose, "With the steps");
    return [args](Context& context) { return du(context, *args); };
}

Run define_buildx_ls(Arguments& arguments) {
    const auto format = std::make_shared<std::string>();
    arguments.value("--format", *format, "FORMAT", "table, json, or a Go template");
    return [format](Context& context) { return list_builders(context, *format); };
}

Run define_buildx_inspect(Arguments& arguments) {
    struct Args {
        std::string name;
        bool bootstrap = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.optional("NAME", args->name);
    arguments.flag("--bootstrap", args->bootstrap, "It is always ready");
    return [args](Context& context) {
        check_builder(args->name);
        print(
            fmt::format("Name:          {0}\nDriver:        compose\n\nNodes:\nName:      {0}\nStatus:    running\n"
                        "Platforms: {1}\n",
                        kBuilder, platform_of(context)));
        return 0;
    };
}

Run define_buildx_use(Arguments& arguments) {
    struct Args {
        std::string name;
        bool standard = false, global = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.required("NAME", args->name);
    arguments.flag("--default", args->standard, "There is no other");
    arguments.flag("--global", args->global, "It is for all");
    return [args](Context&) {
        check_builder(args->name);
        return 0;
    };
}

Run define_buildx_version(Arguments&) {
    return [](Context&) {
        print(fmt::format("compose {}\n", kVersion));
        return 0;
    };
}

}  // namespace compose::cli
