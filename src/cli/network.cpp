// network create, ls, rm, prune, connect, disconnect.
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/flag_values.hpp"
#include "cli/inspect_json.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

namespace {

struct CreateArgs {
    std::string name;
    std::string driver = "bridge", scope, ipam_driver;
    std::vector<std::string> subnets, gateways, ranges, aux, options, labels;
    bool internal = false, attachable = false, ipv4 = true, ipv6 = false;
};

void refuse(bool given, const char* what) {
    if (given) throw make_error(ErrorKind::usage, "{} is not supported", what);
}

Network network_of(const CreateArgs& args) {
    if (!is_object_name(args.name))
        throw make_error(ErrorKind::usage, "{} is no network name", quote(args.name))
            .with_hint("letters, digits, \"_\", \".\" and \"-\"; the first one a letter or digit");
    refuse(!args.scope.empty() && args.scope != "local", "a scope other than local");
    refuse(!args.ipam_driver.empty() && args.ipam_driver != "default", "an IPAM driver other than default");
    Network network;
    network.name = args.name;
    network.driver = args.driver;
    network.internal = args.internal;
    network.attachable = args.attachable;
    network.enable_ipv4 = args.ipv4;
    network.enable_ipv6 = args.ipv6;
    for (const auto& text : args.options) network.driver_opts.insert(pair_flag("-o", text, true));
    for (const auto& text : args.labels) network.labels.insert(pair_flag("--label", text, true));
    for (const auto& text : args.subnets) {
        IpamPool pool;
        pool.subnet = text;
        network.ipam.push_back(std::move(pool));
    }
    return network;
}

Networks::PoolParts parts_of(const CreateArgs& args) {
    Networks::PoolParts parts{args.gateways, args.ranges, {}};
    for (const auto& text : args.aux) parts.aux_addresses.insert(pair_flag("--aux-address", text));
    return parts;
}

struct LsArgs {
    std::vector<std::string> filters;
    bool quiet = false, no_trunc = false;
    std::string format;
};

bool is_builtin(const NetworkView& view) {
    return view.name == kBridgeNetwork || view.driver == "host" || view.driver == "null";
}

bool is_wanted(const NetworkView& view, const Filters& filters) {
    return filters.any("driver", [&](const auto& text) { return view.driver == text; }) &&
           filters.any("id", [&](const auto& text) { return view.id.starts_with(text); }) &&
           filters.any("name", [&](const auto& text) { return matches(text, view.name); }) &&
           filters.any("scope", [](const auto& text) { return text == "local"; }) &&
           filters.any("type", [&](const auto& text) { return text == (is_builtin(view) ? "builtin" : "custom"); }) &&
           (!filters.has("dangling") ||
            filters.truth("dangling", false) == (view.members.empty() && !is_builtin(view))) &&
           filters.labels(view.labels);
}

int list(Context& context, const LsArgs& args) {
    const Filters filters(args.filters, {"dangling", "driver", "id", "label", "name", "scope", "type"});
    Listing listing;
    listing.columns = {{"ID", "NETWORK ID"}, {"Name", "NAME"}, {"Driver", "DRIVER"}, {"Scope", "SCOPE"}};
    listing.more = {{"IPv4", "IPV4"},
                    {"IPv6", "IPV6"},
                    {"Internal", "INTERNAL"},
                    {"Labels", "LABELS"},
                    {"CreatedAt", "CREATED AT"},
                    {"Project", "PROJECT"}};
    listing.raw = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n";
    for (const auto& view : Networks(context.engine_options()).list(filters.has("dangling"))) {
        if (!is_wanted(view, filters)) continue;
        listing.rows.push_back({{"CreatedAt", render_time(view.created_at)},
                                {"Driver", view.driver},
                                {"ID", args.no_trunc ? view.id : std::string(short_id(view.id))},
                                {"IPv4", has_ipv4(view) ? "true" : "false"},
                                {"IPv6", view.subnet6.empty() ? "false" : "true"},
                                {"Internal", view.internal ? "true" : "false"},
                                {"Labels", labels_text(view.labels)},
                                {"Name", view.name},
                                {"Project", view.project},
                                {"Scope", "local"}});
        json::object labels;
        for (const auto& [key, value] : view.labels) labels[key] = value;
        listing.methods.push_back({{"Label", std::move(labels)}});
    }
    print(render_listing(listing, args.format, args.quiet));
    return 0;
}

int prune(Context& context, const std::vector<std::string>& texts, bool force) {
    context.refuse_dry_run("network prune");
    const Filters filters(texts, {"label", "label!", "until"});
    const std::int64_t until = until_filter(filters);
    if (!force && !confirm("WARNING! This will remove all custom networks not used by at least one container."))
        return 0;
    Networks networks(context.engine_options());
    std::string removed;
    int status = 0;
    for (const auto& view : networks.list(true)) {
        if (is_builtin(view) || !view.members.empty() || view.created_at >= until || !filters.labels(view.labels))
            continue;
        try {
            networks.remove(view.id);
            removed += view.name + "\n";
        } catch (const Error& error) {
            report_failure(context, error);
            status = 1;
        }
    }
    // The default network is no custom one, but comes again by itself with the next container.
    if (texts.empty()) (void)networks.release_bridge();
    if (!removed.empty()) print("Deleted Networks:\n" + removed);
    return status;
}

}  // namespace

Run define_network_create(Arguments& arguments) {
    const auto args = std::make_shared<CreateArgs>();
    arguments.text("Containers on it find each other by name. Prints its id.");
    arguments.required("NETWORK", args->name);
    arguments.value("-d,--driver", args->driver, "NAME", "bridge, macvlan or ipvlan");
    arguments.list("--subnet", args->subnets, "PREFIX", "Its addresses: 10.5.0.0/16 (default: a free one)");
    arguments.list("--gateway", args->gateways, "ADDRESS", "Of the subnet (default: its first address)");
    arguments.list("--ip-range", args->ranges, "PREFIX", "Give containers addresses of this part only");
    arguments.list("--aux-address", args->aux, "NAME=ADDRESS", "An address that no container gets");
    arguments.value("--ipam-driver", args->ipam_driver, "NAME", "default");
    arguments.list("-o,--opt", args->options, "KEY=VALUE",
                   "Of the driver: com.docker.network.driver.mtu=1400, parent=eth0");
    arguments.flag("--internal", args->internal, "No way out of it");
    arguments.flag("--attachable", args->attachable, "For Swarm; kept as a note");
    arguments.flag("--ipv4", args->ipv4, "With IPv4, unless --ipv4=false");
    arguments.flag("--ipv6", args->ipv6, "With IPv6");
    arguments.value("--scope", args->scope, "local", "local");
    arguments.list("--label", args->labels, "KEY[=VALUE]", "A label");
    arguments.refuse("--ipam-opt", "the only IPAM driver, default, has no options");
    arguments.refuse("--ingress,--config-only,--config-from", "it is for Swarm, and there is none");
    return [args](Context& context) {
        context.refuse_dry_run("network create");
        print(Networks(context.engine_options()).create(network_of(*args), parts_of(*args)) + "\n");
        return 0;
    };
}

Run define_network_ls(Arguments& arguments) {
    const auto args = std::make_shared<LsArgs>();
    arguments.list("-f,--filter", args->filters, "KEY=VALUE", "Only those: driver=, name=, label=, type=custom, ...");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    arguments.flag("-q,--quiet", args->quiet, "Ids only");
    arguments.flag("--no-trunc", args->no_trunc, "Ids whole");
    return [args](Context& context) { return list(context, *args); };
}

Run define_network_rm(Arguments& arguments) {
    struct Args {
        std::vector<std::string> names;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.rest("NETWORK", args->names, true);
    arguments.flag("-f,--force", args->force, "No error when it is not there");
    return [args](Context& context) {
        context.refuse_dry_run("network rm");
        Networks networks(context.engine_options());
        return each_target(context, args->names, [&](const std::string& name) {
            try {
                networks.remove(name);
            } catch (const Error& error) {
                if (!args->force || error.kind() != ErrorKind::not_found) throw;
                return std::string();
            }
            return name;
        });
    };
}

Run define_network_prune(Arguments& arguments) {
    struct Args {
        std::vector<std::string> filters;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("Removes all networks that no container is on.");
    arguments.flag("-f,--force", args->force, "Do not ask");
    arguments.list("--filter", args->filters, "KEY=VALUE", "Only those: label=, label!=, until=");
    return [args](Context& context) { return prune(context, args->filters, args->force); };
}

Run define_network_connect(Arguments& arguments) {
    struct Args {
        std::string network, container;
        ConnectOptions options;
        std::vector<std::string> links, driver_options;
        std::optional<int> priority;
    };
    const auto args = std::make_shared<Args>();
    auto& options = args->options;
    arguments.text("A running container is on the network at once.");
    arguments.required("NETWORK", args->network);
    arguments.required("CONTAINER", args->container);
    arguments.list("--alias", options.aliases, "NAME", "A further name on this network");
    arguments.value("--ip", options.ipv4_address, "ADDRESS", "A fixed IPv4 address");
    arguments.value("--ip6", options.ipv6_address, "ADDRESS", "A fixed IPv6 address");
    arguments.value("--mac-address", options.mac_address, "ADDRESS", "A fixed MAC address");
    arguments.list("--link", args->links, "CONTAINER[:ALIAS]", "Let it find another container by a name of its own");
    arguments.list("--link-local-ip", options.link_local_ips, "ADDRESS", "A link-local address: 169.254.1.2");
    arguments.list("--driver-opt", args->driver_options, "KEY=VALUE",
                   "com.docker.network.endpoint.ifname=NAME, or .sysctls=net.ipv4.conf.IFNAME.KEY=VALUE,...");
    arguments.number("--gw-priority", args->priority, "N",
                     "The network with the highest one has the default route (0)");
    return [args](Context& context) {
        context.refuse_dry_run("network connect");
        args->options.gw_priority = args->priority.value_or(0);
        for (const auto& text : args->links) args->options.links.insert(link_flag(text));
        for (const auto& text : args->driver_options)
            args->options.driver_options.insert(endpoint_option_flag("--driver-opt", text));
        Networks(context.engine_options()).connect(args->network, args->container, args->options);
        return 0;
    };
}

Run define_network_disconnect(Arguments& arguments) {
    struct Args {
        std::string network, container;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.required("NETWORK", args->network);
    arguments.required("CONTAINER", args->container);
    arguments.flag("-f,--force", args->force, "No error when it is not connected");
    return [args](Context& context) {
        context.refuse_dry_run("network disconnect");
        Networks(context.engine_options()).disconnect(args->network, args->container, args->force);
        return 0;
    };
}

}  // namespace compose::cli
