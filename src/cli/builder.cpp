// builder prune: what builds keep for the next time.
#include "cli/builder.hpp"

#include <compose/build_cache.hpp>
#include <limits>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/output.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> filters;
    bool all = false, force = false;
};

int prune(Context& context, const Args& args) {
    context.refuse_dry_run("builder prune");
    const Filters filters(args.filters, {"until"});
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    for (const auto& text : filters.values("until")) {
        const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
        if (!time) throw make_error(ErrorKind::usage, "invalid filter: {} is no time", quote(text));
        before = std::min(before, *time);
    }
    if (!args.force && !confirm("WARNING! This will remove what builds have kept for the next time.")) return 0;
    const auto pruned = prune_build_cache(context.engine_options(), before);
    print(fmt::format("Total reclaimed space: {}\n", human_size(pruned.freed)));
    return 0;
}

}  // namespace

Run define_builder_prune(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Removes steps of builds, the layers that no image needs, and the caches of RUN --mount. The next build makes\n"
        "them again.");
    arguments.flag("-a,--all", args->all, "All of them, which is the default here");
    arguments.list("--filter", args->filters, "KEY=VALUE", "Only those: until=24h, by their last use");
    arguments.flag("-f,--force", args->force, "Do not ask");
    return [args](Context& context) { return prune(context, *args); };
}

}  // namespace compose::cli
