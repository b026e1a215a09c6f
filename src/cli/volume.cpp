// volume create, ls, rm, prune.
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/flag_values.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

constexpr const char* kCluster = "it is for cluster volumes of Swarm";

struct LsArgs {
    std::vector<std::string> filters;
    bool quiet = false;
    std::string format;
};

int list(Context& context, const LsArgs& args) {
    const Filters filters(args.filters, {"dangling", "driver", "label", "name"});
    Volumes volumes(context.engine_options());
    const bool sizes = args.format.find(".Size") != std::string::npos;
    Listing listing;
    listing.columns = {{"Driver", "DRIVER"}, {"Name", "VOLUME NAME"}};
    listing.more = {{"Labels", "LABELS"}, {"Links", "LINKS"},   {"Mountpoint", "MOUNTPOINT"},
                    {"Scope", "SCOPE"},   {"Size", "SIZE"},     {"Availability", "AVAILABILITY"},
                    {"Group", "GROUP"},   {"Status", "STATUS"}, {"Project", "PROJECT"}};
    listing.quiet_field = "Name";
    listing.raw = "name: {{.Name}}\ndriver: {{.Driver}}\n";
    for (const auto& view : volumes.list()) {
        const bool wanted = filters.any("driver", [&](const auto& text) { return view.driver == text; }) &&
                            filters.any("name", [&](const auto& text) { return matches(text, view.name); }) &&
                            (!filters.has("dangling") || filters.truth("dangling", false) == view.users.empty()) &&
                            filters.labels(view.labels);
        if (!wanted) continue;
        listing.rows.push_back({{"Availability", "N/A"},
                                {"Driver", view.driver},
                                {"Group", "N/A"},
                                {"Labels", labels_text(view.labels)},
                                {"Links", std::to_string(view.users.size())},
                                {"Mountpoint", view.mountpoint},
                                {"Name", view.name},
                                {"Project", view.project},
                                {"Scope", "local"},
                                {"Size", sizes ? human_size(volumes.size(view.name)) : "N/A"},
                                {"Status", "N/A"}});
        json::object labels;
        for (const auto& [key, value] : view.labels) labels[key] = value;
        listing.methods.push_back({{"Label", std::move(labels)}});
    }
    print(render_listing(listing, args.format, args.quiet));
    return 0;
}

struct PruneArgs {
    std::vector<std::string> filters;
    bool force = false, all = false;
};

int prune(Context& context, const PruneArgs& args) {
    context.refuse_dry_run("volume prune");
    const Filters filters(args.filters, {"all", "label", "label!"});
    const bool all = args.all || filters.truth("all", false);
    if (!args.force && !confirm(all ? "WARNING! This will remove all local volumes not used by at least one container."
                                    : "WARNING! This will remove anonymous local volumes not used by at least one "
                                      "container."))
        return 0;
    Volumes volumes(context.engine_options());
    std::string removed;
    std::int64_t freed = 0;
    int status = 0;
    for (const auto& view : volumes.list()) {
        if (!view.users.empty() || (!all && !view.anonymous) || !filters.labels(view.labels)) continue;
        try {
            const auto size = volumes.size(view.name);
            volumes.remove(view.name);
            freed += size;
            removed += view.name + "\n";
        } catch (const Error& error) {
            report_failure(context, error);
            status = 1;
        }
    }
    print((removed.empty() ? "" : "Deleted Volumes:\n" + removed + "\n") +
          fmt::format("Total reclaimed space: {}\n", human_size(freed)));
    return status;
}

}  // namespace

Run define_volume_create(Arguments& arguments) {
    struct Args {
        std::string name, driver;
        std::vector<std::string> options, labels;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("Prints its name; without one it is random.");
    arguments.optional("VOLUME", args->name);
    arguments.value("-d,--driver", args->driver, "NAME", "local");
    arguments.list("-o,--opt", args->options, "KEY=VALUE", "type=none, o=bind, device=/path");
    arguments.list("--label", args->labels, "KEY[=VALUE]", "A label");
    arguments.refuse(
        "--availability,--group,--limit-bytes,--required-bytes,--scope,--secret,--sharing,--topology-preferred,"
        "--topology-required,--type",
        kCluster);
    return [args](Context& context) {
        context.refuse_dry_run("volume create");
        Volume volume;
        volume.name = args->name;
        volume.driver = args->driver;
        for (const auto& text : args->options) volume.driver_opts.insert(pair_flag("-o", text));
        for (const auto& text : args->labels) volume.labels.insert(pair_flag("--label", text, true));
        print(Volumes(context.engine_options()).create(volume) + "\n");
        return 0;
    };
}

Run define_volume_ls(Arguments& arguments) {
    const auto args = std::make_shared<LsArgs>();
    arguments.list("-f,--filter", args->filters, "KEY=VALUE", "Only those: dangling=true, name=, label=, driver=");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    arguments.flag("-q,--quiet", args->quiet, "Names only");
    arguments.refuse("--cluster", kCluster);
    return [args](Context& context) { return list(context, *args); };
}

Run define_volume_rm(Arguments& arguments) {
    struct Args {
        std::vector<std::string> names;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.rest("VOLUME", args->names, true);
    arguments.flag("-f,--force", args->force, "No error when it is not there");
    return [args](Context& context) {
        context.refuse_dry_run("volume rm");
        Volumes volumes(context.engine_options());
        return each_target(context, args->names, [&](const std::string& name) {
            try {
                volumes.remove(name);
            } catch (const Error& error) {
                if (!args->force || error.kind() != ErrorKind::not_found) throw;
            }
            return name;
        });
    };
}

Run define_volume_prune(Arguments& arguments) {
    const auto args = std::make_shared<PruneArgs>();
    arguments.text("Removes anonymous volumes that no container uses; with -a named ones too.");
    arguments.flag("-a,--all", args->all, "Named ones too");
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.list("--filter", args->filters, "KEY=VALUE", "Only those: label=, label!=");
    return [args](Context& context) { return prune(context, *args); };
}

}  // namespace compose::cli
