// `compose image history|inspect|tag|prune`: what is in the store.
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_filters.hpp"
#include "cli/image_platform.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/poll.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kCommandWidth = 45;

struct HistoryArgs {
    std::string name, format, platform;
    bool human = true, no_trunc = false, quiet = false;
};

std::string shown_id(const std::string& id, bool whole) {
    if (id.empty()) return "<missing>";
    return whole ? id : std::string(short_id(std::string_view(id).substr(id.find(':') + 1)));
}

int run_history(Context& context, const HistoryArgs& args) {
    check_platform(context, args.name, args.platform);
    const auto now = sys::wall_now().time_since_epoch().count();
    Listing listing;
    listing.columns = {{"ID", "IMAGE"},
                       {args.human ? "CreatedSince" : "CreatedAt", "CREATED"},
                       {"CreatedBy", "CREATED BY"},
                       {"Size", "SIZE"},
                       {"Comment", "COMMENT"}};
    listing.more = {{"CreatedAt", "CREATED AT"}, {"CreatedSince", "CREATED"}};
    for (const auto& view : context.images().history(args.name)) {
        auto by = view.created_by;
        std::replace(by.begin(), by.end(), '\t', ' ');
        std::replace(by.begin(), by.end(), '\n', ' ');
        if (!args.no_trunc && by.size() > kCommandWidth) by = by.substr(0, kCommandWidth - 1) + "…";
        listing.rows.push_back(
            {{"Comment", view.comment},
             {"CreatedAt", args.human ? render_time(view.created_at)
                                      : sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(view.created_at)))},
             {"CreatedBy", by},
             {"CreatedSince", render_age(view.created_at, now)},
             {"ID", shown_id(view.id, args.no_trunc)},
             {"Size", view.size < 0 ? "N/A"
                      : args.human  ? human_size(view.size)
                                    : std::to_string(view.size)}});
    }
    print(render_listing(listing, args.format, args.quiet));
    return 0;
}

int run_prune(Context& context, PruneOptions options, bool force, const std::vector<std::string>& filters) {
    context.refuse_dry_run("image prune");
    options.filters = parse_filters(filters);
    if (!force) {
        if (!sys::is_terminal(sys::FdRef(0)))
            throw make_error(ErrorKind::usage, "the input is no terminal to ask at").with_hint("say --force to go on");
        print_error(options.all ? "This will remove all images without at least one container. Go on? [y/N] "
                                : "This will remove all images without a name. Go on? [y/N] ");
        char answer = 0;
        if (sys::read_some(sys::FdRef(0), {&answer, 1}).value_or(0) == 0 || (answer != 'y' && answer != 'Y')) return 0;
    }
    const auto result = context.images().prune(options);
    std::string out = result.lines.empty() ? "" : "Deleted Images:\n";
    for (const auto& line : result.lines) out += line + "\n";
    if (!result.lines.empty()) out += "\n";
    print(out + "Total reclaimed space: " + human_size(result.freed) + "\n");
    return 0;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_filters(const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            throw make_error(ErrorKind::usage, "{} is no filter", quote(text)).with_hint("write --filter KEY=VALUE");
        out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return out;
}

Run define_image_history(Arguments& arguments) {
    const auto args = std::make_shared<HistoryArgs>();
    arguments.required("IMAGE", args->name);
    arguments.flag("-H,--human", args->human, "Sizes and times in words (default true)");
    arguments.flag("--no-trunc", args->no_trunc, "Show commands and ids whole");
    arguments.flag("-q,--quiet", args->quiet, "Show ids only");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    define_platform(arguments, args->platform);
    return [args](Context& context) { return run_history(context, *args); };
}

Run define_image_tag(Arguments& arguments) {
    const auto names = std::make_shared<std::pair<std::string, std::string>>();
    arguments.required("IMAGE", names->first);
    arguments.required("NAME[:TAG]", names->second);
    return [names](Context& context) {
        context.refuse_dry_run("image tag");
        context.images().tag(names->first, names->second);
        return 0;
    };
}

Run define_image_prune(Arguments& arguments) {
    struct Args {
        PruneOptions options;
        std::vector<std::string> filters;
        bool force = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.flag("-a,--all", args->options.all, "Also images with a name, if no container uses them");
    arguments.list("--filter", args->filters, "KEY=VALUE", "until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]");
    arguments.flag("-f,--force", args->force, "Do not ask");
    return [args](Context& context) { return run_prune(context, args->options, args->force, args->filters); };
}

}  // namespace compose::cli
