// system df, info, prune; and the version as Docker tells it.
#include <compose/build_cache.hpp>
#include <compose/objects.hpp>
#include <compose/version.hpp>
#include <limits>
#include <set>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/inspect_json.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"

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

int df(Context& context, const std::string& format) {
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

json::object info_of(Context& context) {
    std::size_t running = 0, paused = 0, stopped = 0;
    const auto views = make_containers(context)->list();
    for (const auto& view : views)
        ++(view.state == "paused" ? paused : view.state == "running" || view.state == "restarting" ? running : stopped);
    std::set<std::string> images;
    for (const auto& image : context.engine().images()) images.insert(image.id);
    const auto host = host_description(context.engine_options());
    return {{"ID", host.installation},
            {"Containers", views.size()},
            {"ContainersRunning", running},
            {"ContainersPaused", paused},
            {"ContainersStopped", stopped},
            {"Images", images.size()},
            {"Driver", "overlay2"},
            {"LoggingDriver", "json-file"},
            {"CgroupDriver", "cgroupfs"},
            {"CgroupVersion", std::to_string(host.cgroup_version)},
            {"KernelVersion", host.kernel},
            {"OperatingSystem", host.system},
            {"OSType", "linux"},
            {"Architecture", host.machine},
            {"NCPU", host.cpus},
            {"MemTotal", host.memory},
            {"DockerRootDir", host.state_folder},
            {"Name", host.name},
            {"ServerVersion", kVersion},
            {"DefaultRuntime", "compose"},
            {"Swarm", {{"LocalNodeState", "inactive"}}}};
}

int info(Context& context, const std::string& format) {
    const auto object = info_of(context);
    if (format == "json") {
        print(json::serialize(object) + "\n");
    } else if (!format.empty()) {
        print(Template(unescape_format(format)).render(object) + "\n");
    } else {
        std::string out = "Server:\n";
        const auto line = [&](const char* title, const char* key) {
            const auto& value = object.at(key);
            out += fmt::format(" {}: {}\n", title,
                               value.is_string() ? std::string(value.as_string()) : json::serialize(value));
        };
        line("Containers", "Containers");
        line(" Running", "ContainersRunning");
        line(" Paused", "ContainersPaused");
        line(" Stopped", "ContainersStopped");
        line("Images", "Images");
        line("Server Version", "ServerVersion");
        line("Storage Driver", "Driver");
        line("Logging Driver", "LoggingDriver");
        line("Cgroup Driver", "CgroupDriver");
        line("Cgroup Version", "CgroupVersion");
        line("Kernel Version", "KernelVersion");
        line("Operating System", "OperatingSystem");
        line("OSType", "OSType");
        line("Architecture", "Architecture");
        line("CPUs", "NCPU");
        out += fmt::format(" Total Memory: {}\n", binary_size(object.at("MemTotal").to_number<std::int64_t>()));
        line("Name", "Name");
        line("ID", "ID");
        line("Docker Root Dir", "DockerRootDir");
        print(out);
    }
    return 0;
}

struct PruneArgs {
    std::vector<std::string> filters;
    bool all = false, volumes = false, force = false;
};

/// Removes one kind of object after the other; what fails is reported, and the others are still done.
class Pruner {
public:
    Pruner(Context& context, const PruneArgs& args, const Filters& filters)
        : context_(context), args_(args), filters_(filters), options_(context.engine_options()) {}

    void containers() {
        const auto containers = make_containers(context_);
        std::vector<std::string> ids;
        for (const auto& view : containers->list())
            if (!is_up(view) && filters_.labels(view.labels)) ids.push_back(view.id);
        section("Deleted Containers", ids, [&](const std::string& id) {
            const auto size = container_size(options_, id).writable;
            containers->remove(id, false, false);
            return size;
        });
    }

    void networks() {
        Networks networks(options_);
        std::vector<std::string> names;
        for (const auto& view : networks.list(true))
            if (view.members.empty() && view.driver == "bridge" && view.name != kBridgeNetwork &&
                filters_.labels(view.labels))
                names.push_back(view.name);
        section("Deleted Networks", names, [&](const std::string& name) {
            networks.remove(name);
            return std::int64_t{0};
        });
        if (args_.filters.empty()) (void)networks.release_bridge();
    }

    void images() {
        std::set<std::string> used;
        for (const auto& view : make_containers(context_)->list())
            if (const auto image = image_details(options_, view.image)) used.insert(image->id);
        std::vector<std::string> ids;
        std::map<std::string, std::int64_t> sizes;
        for (const auto& image : context_.engine().images()) {
            const bool dangling = image.repository == "<none>";
            if (used.contains(image.id) || (!args_.all && !dangling)) continue;
            if (sizes.emplace(image.id, image.size).second) ids.push_back(image.id);
        }
        section("Deleted Images", ids, [&](const std::string& id) {
            (void)context_.engine().remove_image(id, true);
            return sizes[id];
        });
    }

    void build_cache() { freed_ += prune_build_cache(options_, std::numeric_limits<std::int64_t>::max()).freed; }

    void volumes() {
        Volumes volumes(options_);
        std::vector<std::string> names;
        for (const auto& view : volumes.list())
            if (view.users.empty() && view.anonymous && filters_.labels(view.labels)) names.push_back(view.name);
        section("Deleted Volumes", names, [&](const std::string& name) {
            const auto size = volumes.size(name);
            volumes.remove(name);
            return size;
        });
    }

    [[nodiscard]] std::int64_t freed() const { return freed_; }
    [[nodiscard]] int status() const { return status_; }

private:
    template <class Remove>
    void section(const char* heading, const std::vector<std::string>& names, const Remove& remove) {
        std::string removed;
        for (const auto& name : names) {
            try {
                freed_ += remove(name);
                removed += name + "\n";
            } catch (const Error& error) {
                report_failure(context_, error);
                status_ = 1;
            }
        }
        if (!removed.empty()) print(fmt::format("{}:\n{}\n", heading, removed));
    }

    Context& context_;
    const PruneArgs& args_;
    const Filters& filters_;
    EngineOptions options_;
    std::int64_t freed_ = 0;
    int status_ = 0;
};

int prune(Context& context, const PruneArgs& args) {
    context.refuse_dry_run("system prune");
    const Filters filters(args.filters, {"label", "label!"});
    std::string warning =
        "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at "
        "least one container\n";
    if (args.volumes) warning += "  - all anonymous volumes not used by at least one container\n";
    warning += args.all ? "  - all images without at least one container associated to them\n  - all build cache\n"
                        : "  - all dangling images\n";
    if (!args.force && !confirm(warning)) return 0;
    Pruner pruner(context, args, filters);
    pruner.containers();
    pruner.networks();
    // Images and builds have no labels to choose by. Docker keeps what builds can still use unless all is asked for.
    if (args.filters.empty()) pruner.images();
    if (args.filters.empty() && args.all) pruner.build_cache();
    if (args.volumes) pruner.volumes();
    print(fmt::format("Total reclaimed space: {}\n", human_size(pruner.freed())));
    return pruner.status();
}

int docker_version(Context& context, const std::string& format) {
    const auto host = host_description(context.engine_options());
    const json::object one{
        {"Version", kVersion},       {"ApiVersion", "1.47"},         {"Os", "linux"},
        {"Arch", host.architecture}, {"KernelVersion", host.kernel}, {"Platform", {{"Name", "compose"}}}};
    const json::object object{{"Client", one}, {"Server", one}};
    if (format == "json")
        print(json::serialize(object) + "\n");
    else if (!format.empty())
        print(Template(unescape_format(format)).render(object) + "\n");
    else
        print(fmt::format("Client and engine: compose\n Version:    {}\n OS/Arch:    linux/{}\n Kernel:     {}\n",
                          kVersion, host.architecture, host.kernel));
    return 0;
}

template <class Function>
Run with_format(Arguments& arguments, Function function) {
    const auto format = std::make_shared<std::string>();
    arguments.value("-f,--format", *format, "FORMAT", "json, or a Go template");
    return [format, function](Context& context) { return function(context, *format); };
}

}  // namespace

Run define_system_df(Arguments& arguments) {
    const auto format = std::make_shared<std::string>();
    arguments.text("What images, containers and volumes take on the disk.");
    arguments.value("--format", *format, "FORMAT", "table, json, or a Go template");
    return [format](Context& context) { return df(context, *format); };
}

Run define_system_info(Arguments& arguments) {
    return with_format(arguments, info);
}

Run define_docker_version(Arguments& arguments) {
    return with_format(arguments, docker_version);
}

Run define_system_prune(Arguments& arguments) {
    const auto args = std::make_shared<PruneArgs>();
    arguments.text("Removes what nobody uses: stopped containers, networks and images without a name.");
    arguments.flag("-a,--all", args->all, "All images without a container, and what builds keep");
    arguments.flag("--volumes", args->volumes, "Anonymous volumes too");
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.list("--filter", args->filters, "KEY=VALUE", "Only those: label=, label!=");
    return [args](Context& context) { return prune(context, *args); };
}

}  // namespace compose::cli
