// Commands that show containers: ls, inspect, port, top, stats, diff.
#include <charconv>
#include <compose/objects.hpp>
#include <thread>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/container_rows.hpp"
#include "cli/container_size.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

struct LsArgs {
    std::vector<std::string> filters;
    bool all = false, quiet = false, no_trunc = false, latest = false, size = false;
    std::optional<int> last;
    std::string format;
};

int list(Context& context, const LsArgs& args) {
    const auto filters = ps_filters(args.filters);
    PsOptions options{.all = args.all, .no_trunc = args.no_trunc, .last = args.last.value_or(-1), .size = args.size};
    if (args.latest) options.last = 1;
    if (asks_for_size(args.format)) options.size = true;
    const auto containers = make_containers(context);
    const auto engine_options = context.engine_options();
    const PsLookups lookups{.image_id = [&](const std::string& id) { return containers->inspect(id).image_id; },
                            .size_text = [&](const std::string& id) { return size_text(engine_options, id); }};
    const auto views = select_containers(containers->list(), filters, options, lookups);
    const auto now = sys::wall_now().time_since_epoch().count();
    print(render_listing(container_listing(views, now, options, lookups), args.format, args.quiet));
    return 0;
}

std::string host_side(const Publisher& port) {
    return address_prefix(port.url) + std::to_string(port.published);
}

int port(Context& context, const std::string& name, const std::string& wanted) {
    const auto view = make_containers(context)->find(name);
    std::string out;
    const auto slash = wanted.find('/');
    const auto protocol = slash == std::string::npos ? "tcp" : lower(wanted.substr(slash + 1));
    for (const auto& published : view.publishers) {
        if (published.published == 0) continue;
        if (wanted.empty())
            out += fmt::format("{}/{} -> {}\n", published.target, published.protocol, host_side(published));
        else if (std::to_string(published.target) == wanted.substr(0, slash) && published.protocol == protocol)
            out += host_side(published) + "\n";
    }
    if (out.empty() && !wanted.empty())
        throw make_error(ErrorKind::not_found, "no public port {} published for {}", quote(wanted), view.name);
    print(out);
    return 0;
}

int top(Context& context, const std::string& name, const std::vector<std::string>& ps_options) {
    const auto processes = make_containers(context)->top(name, ps_options);
    Table table(processes.titles, kSection);
    for (const auto& row : processes.processes) table.add(row);
    print(table.text());
    return 0;
}

struct StatsArgs {
    std::vector<std::string> names;
    bool all = false, no_stream = false, no_trunc = false;
    std::string format;
};

std::string percent(double part, double whole) {
    return fmt::format("{:.2f}%", whole > 0 ? 100 * part / whole : 0.0);
}

json::object stats_row(const ContainerView& view, const std::optional<ContainerStats>& before,
                       std::optional<ContainerStats> now, bool no_trunc, std::int64_t host_memory) {
    json::object row{{"Container", no_trunc ? view.id : std::string(short_id(view.id))},
                     {"ID", no_trunc ? view.id : std::string(short_id(view.id))},
                     {"Name", view.name}};
    if (!now) {
        for (const char* field : {"CPUPerc", "MemPerc"}) row[field] = "0.00%";
        for (const char* field : {"MemUsage", "NetIO", "BlockIO"}) row[field] = "0B / 0B";
        row["PIDs"] = "0";
        return row;
    }
    if (now->memory_limit == 0) now->memory_limit = static_cast<std::uint64_t>(host_memory);
    const bool two = before && now->time > before->time;
    const double used = two ? static_cast<double>(now->cpu_ns - std::min(before->cpu_ns, now->cpu_ns)) : 0;
    const double passed = two ? static_cast<double>(now->time - before->time) : 0;
    const auto pair = [](std::uint64_t a, std::uint64_t b) {
        return fmt::format("{} / {}", human_size(static_cast<Bytes>(a)), human_size(static_cast<Bytes>(b)));
    };
    row["CPUPerc"] = percent(used, passed);
    row["MemUsage"] = fmt::format("{} / {}", binary_size(static_cast<Bytes>(now->memory)),
                                  binary_size(static_cast<Bytes>(now->memory_limit)));
    row["MemPerc"] = percent(static_cast<double>(now->memory), static_cast<double>(now->memory_limit));
    row["NetIO"] = pair(now->received, now->sent);
    row["BlockIO"] = pair(now->read, now->written);
    row["PIDs"] = std::to_string(now->processes);
    return row;
}

int stats(Context& context, const StatsArgs& args) {
    using namespace std::chrono_literals;
    const auto containers = make_containers(context);
    const auto host_memory = host_description(context.engine_options()).memory;
    std::map<std::string, std::optional<ContainerStats>> before;
    for (bool first = true;; first = false) {
        std::vector<ContainerView> views;
        if (args.names.empty())
            for (auto& view : containers->list()) {
                if (args.all || view.state == "running" || view.state == "paused") views.push_back(std::move(view));
            }
        for (const auto& name : args.names) views.push_back(containers->find(name));
        if (first) {
            for (const auto& view : views) before[view.id] = containers->stats(view.id);
            std::this_thread::sleep_for(args.no_stream ? 200ms : 500ms);
        }
        Listing listing;
        listing.columns = {
            {"ID", "CONTAINER ID"}, {"Name", "NAME"},     {"CPUPerc", "CPU %"},     {"MemUsage", "MEM USAGE / LIMIT"},
            {"MemPerc", "MEM %"},   {"NetIO", "NET I/O"}, {"BlockIO", "BLOCK I/O"}, {"PIDs", "PIDS"}};
        listing.more = {{"Container", "CONTAINER"}};
        for (const auto& view : views) {
            auto now = containers->stats(view.id);
            listing.rows.push_back(stats_row(view, before[view.id], now, args.no_trunc, host_memory));
            before[view.id] = std::move(now);
        }
        const auto text = render_listing(listing, args.format, false);
        // Like Docker: the screen is drawn again and again.
        print(args.no_stream || !args.format.empty() ? text : "\033[H\033[J" + text);
        if (args.no_stream) return 0;
        std::this_thread::sleep_for(1s);
    }
}

int diff(Context& context, const std::string& name) {
    std::string out;
    for (const auto& change : make_containers(context)->diff(name)) {
        const char letter = change.kind == FileChange::Kind::added     ? 'A'
                            : change.kind == FileChange::Kind::deleted ? 'D'
                                                                       : 'C';
        out += fmt::format("{} {}\n", letter, change.path);
    }
    print(out);
    return 0;
}

}  // namespace

Run define_container_ls(Arguments& arguments) {
    const auto args = std::make_shared<LsArgs>();
    arguments.flag("-a,--all", args->all, "Those that do not run too");
    arguments.list("-f,--filter", args->filters, "KEY=VALUE", "Only those: name=, status=, label=, ancestor=, ...");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template: '{{.Names}}: {{.Status}}'");
    arguments.number("-n,--last", args->last, "N", "The last N made, in any state");
    arguments.flag("-l,--latest", args->latest, "The last one made");
    arguments.flag("-q,--quiet", args->quiet, "Ids only");
    arguments.flag("-s,--size", args->size, "How much they have written");
    arguments.flag("--no-trunc", args->no_trunc, "Ids and commands whole");
    return [args](Context& context) { return list(context, *args); };
}

Run define_container_port(Arguments& arguments) {
    struct Args {
        std::string name, port;
    };
    const auto args = std::make_shared<Args>();
    arguments.required("CONTAINER", args->name);
    arguments.optional("PORT[/PROTOCOL]", args->port);
    return [args](Context& context) { return port(context, args->name, args->port); };
}

Run define_container_top(Arguments& arguments) {
    struct Args {
        std::string name;
        std::vector<std::string> ps_options;
    };
    const auto args = std::make_shared<Args>();
    arguments.text(
        "With options of ps: -ef (the default), aux, or -o with columns. They are read from /proc; no ps is run.");
    arguments.required("CONTAINER", args->name);
    arguments.rest("PS_OPTION", args->ps_options);
    arguments.options_first();
    arguments.example("container top web -o pid,comm,rss", "these columns");
    return [args](Context& context) { return top(context, args->name, args->ps_options); };
}

Run define_container_stats(Arguments& arguments) {
    const auto args = std::make_shared<StatsArgs>();
    arguments.rest("CONTAINER", args->names);
    arguments.flag("-a,--all", args->all, "Those that do not run too");
    arguments.flag("--no-stream", args->no_stream, "Once, not again and again");
    arguments.flag("--no-trunc", args->no_trunc, "Ids whole");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    return [args](Context& context) { return stats(context, *args); };
}

Run define_container_diff(Arguments& arguments) {
    const auto args = std::make_shared<std::string>();
    arguments.text("Files that were added (A), changed (C) and deleted (D) since it was made.");
    arguments.required("CONTAINER", *args);
    return [args](Context& context) { return diff(context, *args); };
}

}  // namespace compose::cli
