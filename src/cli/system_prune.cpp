// system prune: what nobody uses, one kind of object after the other.
#include <compose/build_cache.hpp>
#include <compose/copies.hpp>
#include <compose/images.hpp>
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/image_filters.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

bool is_over(const ContainerView& view) {
    return view.state == "created" || view.state == "exited" || view.state == "dead";
}

struct PruneArgs {
    std::vector<std::string> filters;
    bool all = false, volumes = false, force = false;
};

/// Removes one kind of object after the other; what fails is reported, and the others are still done.
class Pruner {
public:
    Pruner(Context& context, const PruneArgs& args, const Filters& filters)
        : context_(context),
          args_(args),
          filters_(filters),
          options_(context.engine_options()),
          until_(until_filter(filters)) {}

    void containers() {
        const auto containers = make_containers(context_);
        std::vector<std::string> ids;
        for (const auto& view : containers->list())
            if (is_over(view) && view.created_at < until_ && filters_.labels(view.labels)) ids.push_back(view.id);
        section("Deleted Containers", ids, [&](const std::string& id) {
            const auto size = container_size(options_, id).writable;
            containers->remove(id, false, false);
            return size;
        });
        containers->empty_trash();
    }

    void networks() {
        Networks networks(options_);
        std::vector<std::string> names;
        for (const auto& view : networks.list(true))
            if (view.members.empty() && view.driver == "bridge" && view.name != kBridgeNetwork &&
                view.created_at < until_ && filters_.labels(view.labels))
                names.push_back(view.name);
        section("Deleted Networks", names, [&](const std::string& name) {
            networks.remove(name);
            return std::int64_t{0};
        });
        if (args_.filters.empty()) (void)networks.release_bridge();
    }

    void images() {
        PruneOptions options;
        options.all = args_.all;
        options.filters = parse_filters(args_.filters);
        const auto result = context_.images().prune(options);
        context_.finish_progress();
        freed_ += result.freed;
        if (!result.lines.empty()) print("Deleted Images:\n" + join(result.lines, "\n") + "\n\n");
    }

    void build_cache() {
        const auto result = prune_build_cache(options_, [&](const BuildCacheEntry& entry) {
            return entry.used_at < until_ && (args_.all || !entry.shared);
        });
        freed_ += result.freed;
    }

    /// What was read today may be read again in a moment, by a command that is under way.
    void copies() {
        const auto result = prune_copies(options_, std::chrono::hours(24));
        freed_ += result.freed;
        if (!result.folders.empty()) print("Deleted Compose files:\n" + join(result.folders, "\n") + "\n\n");
    }

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
    std::int64_t until_;  // nanoseconds since 1970
    std::int64_t freed_ = 0;
    int status_ = 0;
};

int prune(Context& context, const PruneArgs& args) {
    context.refuse_dry_run("system prune");
    const Filters filters(args.filters, {"label", "label!", "until"});
    if (args.volumes && filters.has("until"))
        throw make_error(ErrorKind::usage, "the filter until is not supported with --volumes");
    std::string warning =
        "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at "
        "least one container\n";
    if (args.volumes) warning += "  - all anonymous volumes not used by at least one container\n";
    warning += args.all ? "  - all images without at least one container associated to them\n  - all build cache\n"
                        : "  - all dangling images\n  - build cache that no image shares\n";
    if (!args.force && !confirm(warning)) return 0;
    Pruner pruner(context, args, filters);
    pruner.containers();
    pruner.networks();
    pruner.images();
    // What builds keep has no labels to choose by.
    if (!filters.has("label") && !filters.has("label!")) pruner.build_cache();
    if (args.filters.empty()) pruner.copies();
    if (args.volumes) pruner.volumes();
    print(fmt::format("Total reclaimed space: {}\n", human_size(pruner.freed())));
    return pruner.status();
}

}  // namespace

Run define_system_prune(Arguments& arguments) {
    const auto args = std::make_shared<PruneArgs>();
    arguments.text(
        "Removes what nobody uses: stopped containers, networks, images without a name, what builds keep, and Compose\n"
        "files that were fetched (-f oci://...) and that no command has read for a day.");
    arguments.flag("-a,--all", args->all, "All images without a container, and all that builds keep");
    arguments.flag("--volumes", args->volumes, "Anonymous volumes too");
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.list("--filter", args->filters, "KEY=VALUE", "Only those: label=, label!=, until=");
    return [args](Context& context) { return prune(context, *args); };
}

}  // namespace compose::cli
