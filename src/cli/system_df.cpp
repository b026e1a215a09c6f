// system df: what takes space on the disk, as sums and, with -v, one by one.
#include <compose/build_cache.hpp>
#include <compose/images.hpp>
#include <compose/objects.hpp>
#include <set>

#include "base/ids.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/container_rows.hpp"
#include "cli/context.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

struct Usage {
    std::string type;
    std::size_t total = 0, active = 0;
    std::int64_t size = 0, reclaimable = 0;
};

json::object row_of(const Usage& usage) {
    const auto percent = usage.size > 0 ? 100 * usage.reclaimable / usage.size : 0;
    return {{"Active", std::to_string(usage.active)},
            {"Reclaimable", fmt::format("{} ({}%)", human_size(usage.reclaimable), percent)},
            {"Size", human_size(usage.size)},
            {"TotalCount", std::to_string(usage.total)},
            {"Type", usage.type}};
}

bool is_up(const ContainerView& view) {
    return view.state == "running" || view.state == "paused" || view.state == "restarting";
}

class DiskUsage {
public:
    explicit DiskUsage(Context& context)
        : options_(context.engine_options()), views_(make_containers(context)->list()), engine_(context.engine()) {}

    Usage images() {
        Usage usage{.type = "Images"};
        std::set<std::string> used, seen;
        for (const auto& view : views_)
            if (const auto image = image_details(options_, view.image)) used.insert(image->id);
        for (const auto& image : engine_.images()) {
            if (!seen.insert(image.id).second) continue;
            ++usage.total;
            if (used.contains(image.id)) ++usage.active;
        }
        // Images share layers: each counts once, and can go when no image in use has it.
        const auto sizes = layer_usage(options_, used);
        usage.size = sizes.size;
        usage.reclaimable = sizes.reclaimable;
        return usage;
    }
    Usage containers() {
        Usage usage{.type = "Containers"};
        for (const auto& view : views_) add(usage, container_size(options_, view.id).writable, is_up(view));
        return usage;
    }
    Usage volumes() {
        Usage usage{.type = "Local Volumes"};
        Volumes all(options_);
        for (const auto& volume : all.list()) add(usage, all.size(volume.name), !volume.users.empty());
        return usage;
    }
    /// `reclaimable` is what no image shares.
    Usage build_cache() {
        const auto cache = build_cache_usage(options_);
        return {.type = "Build Cache", .total = cache.steps, .size = cache.size, .reclaimable = cache.reclaimable};
    }

private:
    static void add(Usage& usage, std::int64_t size, bool active) {
        ++usage.total;
        usage.size += size;
        if (active)
            ++usage.active;
        else
            usage.reclaimable += size;
    }

    EngineOptions options_;
    std::vector<ContainerView> views_;
    Engine& engine_;
};

int sums(Context& context, const std::string& format) {
    DiskUsage usage(context);
    Listing listing;
    listing.columns = {{"Type", "TYPE"},
                       {"TotalCount", "TOTAL"},
                       {"Active", "ACTIVE"},
                       {"Size", "SIZE"},
                       {"Reclaimable", "RECLAIMABLE"}};
    listing.rows = {row_of(usage.images()), row_of(usage.containers()), row_of(usage.volumes()),
                    row_of(usage.build_cache())};
    print(render_listing(listing, format, false));
    return 0;
}

/// The four tables of `df -v`.
class Verbose {
public:
    explicit Verbose(Context& context)
        : context_(context), options_(context.engine_options()), now_(sys::wall_now().time_since_epoch().count()) {}

    Listing images() {
        Listing out;
        out.columns = {{"Repository", "REPOSITORY"},
                       {"Tag", "TAG"},
                       {"ID", "IMAGE ID"},
                       {"CreatedSince", "CREATED"},
                       {"Size", "SIZE"},
                       {"SharedSize", "SHARED SIZE"},
                       {"UniqueSize", "UNIQUE SIZE"},
                       {"Containers", "CONTAINERS"}};
        auto sizes = image_sizes(options_);
        for (const auto& image : context_.images().list({})) {
            const auto& size = sizes[image.id];
            out.rows.push_back({{"Repository", image.repository},
                                {"Tag", image.tag},
                                {"ID", short_id(std::string_view(image.id).substr(image.id.find(':') + 1))},
                                {"CreatedSince", render_age(image.created_at, now_)},
                                {"Size", human_size(size.shared + size.unique)},
                                {"SharedSize", human_size(size.shared)},
                                {"UniqueSize", human_size(size.unique)},
                                {"Containers", std::to_string(image.containers)}});
        }
        return out;
    }

    Listing containers() {
        const PsOptions options{.all = true, .size = true};
        const PsLookups lookups{.image_id = {}, .size_text = [&](const std::string& id) {
                                    return human_size(container_size(options_, id).writable);
                                }};
        const auto views = select_containers(make_containers(context_)->list(), ps_filters({}), options, lookups);
        auto out = container_listing(views, now_, options, lookups);
        out.columns = {{"ID", "CONTAINER ID"}, {"Image", "IMAGE"},
                       {"Command", "COMMAND"}, {"LocalVolumes", "LOCAL VOLUMES"},
                       {"Size", "SIZE"},       {"RunningFor", "CREATED"},
                       {"Status", "STATUS"},   {"Names", "NAMES"}};
        return out;
    }

    Listing volumes() {
        Listing out;
        out.columns = {{"Name", "VOLUME NAME"}, {"Links", "LINKS"}, {"Size", "SIZE"}};
        Volumes volumes(options_);
        for (const auto& volume : volumes.list())
            out.rows.push_back({{"Name", volume.name},
                                {"Links", std::to_string(volume.users.size())},
                                {"Size", human_size(volumes.size(volume.name))}});
        return out;
    }

    Listing build_cache() {
        Listing out;
        out.columns = {{"ID", "CACHE ID"},          {"Description", "STEP"},        {"Size", "SIZE"},
                       {"CreatedSince", "CREATED"}, {"LastUsedSince", "LAST USED"}, {"Shared", "SHARED"}};
        for (const auto& entry : build_cache_entries(options_))
            out.rows.push_back({{"ID", short_id(entry.id)},
                                {"Description", render_command(entry.description, false)},
                                {"Size", human_size(entry.size)},
                                {"CreatedSince", render_age(entry.created_at, now_)},
                                {"LastUsedSince", render_age(entry.used_at, now_)},
                                {"Shared", entry.shared ? "true" : "false"}});
        return out;
    }

private:
    Context& context_;
    EngineOptions options_;
    std::int64_t now_;
};

json::array rows_of(Listing listing) {
    json::array out;
    for (auto& row : listing.rows) out.emplace_back(std::move(row));
    return out;
}

int one_by_one(Context& context, const std::string& format) {
    Verbose usage(context);
    if (format.empty() || format == "table") {
        std::string out = "Images space usage:\n\n" + render_listing(usage.images(), "", false);
        out += "\nContainers space usage:\n\n" + render_listing(usage.containers(), "", false);
        out += "\nLocal Volumes space usage:\n\n" + render_listing(usage.volumes(), "", false);
        out += fmt::format("\nBuild cache usage: {}\n\n", human_size(build_cache_usage(context.engine_options()).size));
        print(out + render_listing(usage.build_cache(), "", false));
        return 0;
    }
    const json::object all{{"Images", rows_of(usage.images())},
                           {"Containers", rows_of(usage.containers())},
                           {"Volumes", rows_of(usage.volumes())},
                           {"BuildCache", rows_of(usage.build_cache())}};
    print((format == "json" ? json::serialize(all) : Template(unescape_format(format)).render(all)) + "\n");
    return 0;
}

}  // namespace

Run define_system_df(Arguments& arguments) {
    struct Args {
        std::string format;
        bool verbose = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("What images, containers, volumes and what builds keep take on the disk.");
    arguments.flag("-v,--verbose", args->verbose, "One by one");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    return [args](Context& context) {
        return args->verbose ? one_by_one(context, args->format) : sums(context, args->format);
    };
}

}  // namespace compose::cli
