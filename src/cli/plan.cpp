// plan: what `up` would change, and why.
#include <compose/plan.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/converge.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

constexpr int kChanges = 2;

struct Args {
    std::vector<std::string> services, scale;
    bool force_recreate = false, no_recreate = false, remove_orphans = false, no_deps = false;
    std::string format = "text";
};

struct Words {
    const char* sign;
    const char* verb;
    const char* color;
};
constexpr Words kWords[] = {{"+", "create", "32"}, {"~", "replace", "33"}, {"-", "remove", "31"},
                            {">", "start", "36"},  {">", "restart", "36"}, {"+", "fetch", "32"},
                            {"?", "ask", "36"},    {"?", "compare", "36"}, {"~", "update", "33"}};

const Words& words_of(const PlannedChange& change) {
    return kWords[static_cast<std::size_t>(change.kind)];
}

std::string as_text(const std::vector<PlannedChange>& changes, bool color) {
    std::string out;
    for (const auto& change : changes) {
        const auto& words = words_of(change);
        const auto line = fmt::format("{} {} {}{}", words.sign, words.verb, change.object,
                                      change.cause.empty() ? "" : ": " + change.cause);
        out += color ? fmt::format("\033[{}m{}\033[0m\n", words.color, line) : line + "\n";
        for (const auto& detail : change.details) out += "    " + detail + "\n";
    }
    return out.empty() ? "nothing to do\n" : out;
}

std::string as_json(const std::vector<PlannedChange>& changes) {
    json::array list;
    for (const auto& change : changes)
        list.push_back(json::object{{"action", words_of(change).verb},
                                    {"object", change.object},
                                    {"cause", change.cause},
                                    {"details", json::array(change.details.begin(), change.details.end())}});
    return json::serialize(list) + "\n";
}

int run(Context& context, const Args& args) {
    if (args.format != "text" && args.format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(args.format))
            .with_hint("use text or json");
    exclude("plan", args.no_recreate, "--no-recreate", args.force_recreate, "--force-recreate");
    UpOptions options;
    options.services = args.services;
    options.no_deps = args.no_deps;
    options.force_recreate = args.force_recreate;
    options.no_recreate = args.no_recreate;
    options.scale = parse_scale(args.scale, "--scale");
    set_orphans(context, "plan", args.remove_orphans, options);
    options.dry_run = true;
    Diagnostics findings;
    const auto loaded = load_for_running(context, args.services, findings);
    try {
        const auto changes = context.engine("plan").plan_changes(loaded.project, options);
        context.finish_progress();
        print(args.format == "json" ? as_json(changes) : as_text(changes, context.color_out));
        return changes.empty() ? 0 : kChanges;
    } catch (const ProjectError& error) {
        context.finish_progress();
        print_findings(context, error.findings(), findings.sources);
        return error.exit_code();
    }
}

}  // namespace

Run define_plan(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "What 'compose up' would do and why, field by field. Exits with 0 when there is nothing to do, with 2 when "
        "there\n"
        "is something, with 1 when it can't be told. Providers and models are not asked: what hangs on their "
        "variables\n"
        "is marked with a question mark.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("--no-deps", args->no_deps, "Leave out what the services depend on");
    arguments.flag("--force-recreate", args->force_recreate, "Recreate containers even if nothing has changed");
    arguments.flag("--no-recreate", args->no_recreate, "Keep containers that exist, even if something has changed");
    arguments.flag("--remove-orphans", args->remove_orphans,
                   "Remove containers of services that the file no longer has");
    arguments.list("--scale", args->scale, "SERVICE=N", "Run N containers of a service");
    arguments.value("--format", args->format, "FORMAT", "text or json");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
