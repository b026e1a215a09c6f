#include <charconv>
#include <compose/logs.hpp>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/line_filter.hpp"
#include "cli/log_follow.hpp"
#include "cli/log_printer.hpp"
#include "cli/project.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool follow = false, timestamps = false, no_prefix = false, no_color = false;
    std::string tail = "all";
    std::string since, until, format = "text";
    std::optional<std::string> grep;
    bool ignore_case = false;
    std::optional<int> index;
};

std::int64_t parse_bound(const std::string& text, const char* flag) {
    if (text.empty()) return 0;
    const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
    if (time) return *time;
    throw make_error(ErrorKind::usage, "invalid time {} for {}", quote(text), flag)
        .with_hint("use a time such as 2026-01-02T15:04:05Z, or how long ago: 42m");
}

LogRange make_range(const Args& args) {
    LogRange range{
        .tail = {}, .since = parse_bound(args.since, "--since"), .until = parse_bound(args.until, "--until")};
    if (args.tail == "all" || args.tail == "-1") return range;
    std::size_t count = 0;
    const auto* end = args.tail.data() + args.tail.size();
    const auto read = std::from_chars(args.tail.data(), end, count);
    if (read.ec != std::errc{} || read.ptr != end)
        throw make_error(ErrorKind::usage, "invalid value {} for --tail", quote(args.tail))
            .with_hint("use a number of lines, or all");
    range.tail = count;
    return range;
}

bool is_wanted(const Args& args, const ContainerView& view) {
    const auto& services = args.services;
    const bool named = services.empty() || std::find(services.begin(), services.end(), view.service) != services.end();
    // One-off containers are nobody's replica.
    return named && !view.oneoff && (!args.index || view.number == *args.index);
}

void show(const std::string& project, const std::vector<ContainerView>& views, const LogRange& range,
          LogPrinter& printer) {
    ContainerLogs logs(false);
    for (const auto& view : views) {
        if (view.log_path.empty()) continue;
        printer.add(view.id, log_name(view.name, project), view.service, view.name, view.log_details);
        logs.add(view.id, view.log_path, range);
    }
    while (const auto entry = logs.next()) printer.print(*entry);
    for (const auto& view : views) printer.end(view.id);
    printer.flush();
}

void follow(Engine& engine, const std::string& project, const Args& args, const LogRange& range, LogPrinter& printer) {
    LogFollow log(
        engine, project, [&args](const ContainerView& view) { return is_wanted(args, view); }, range, printer);
    log.refresh();
    log.drain();
    const auto over = [&] {
        return std::all_of(log.containers().begin(), log.containers().end(), [&](const auto& entry) {
            return !log.is_shown(entry.first) || is_over(entry.second.state);
        });
    };
    // Who has ended may be about to start again, and what a supervisor has forgotten it tells nobody: while a command
    // is at work, and once after, the state itself is asked.
    bool worked = false;
    for (;;) {
        const bool working = engine.is_at_work(project);
        const bool told = log.is_subscribed();
        if (std::exchange(worked, working) || working || !told || log.is_stale()) log.refresh();
        const bool nothing = over();
        if ((nothing || !told) && !engine.is_at_work(project)) {
            log.refresh();
            log.rest(false);
            if (over() || !log.is_subscribed()) break;
        }
        log.rest(over());
        auto patience = std::chrono::milliseconds(told && !working ? 1'000 : 100);
        if (range.until != 0) {
            const auto rest = std::chrono::nanoseconds(range.until - sys::wall_now().time_since_epoch().count());
            if (rest.count() <= 0) break;
            patience = std::min(patience, std::chrono::ceil<std::chrono::milliseconds>(rest));
        }
        (void)log.wait({}, patience);
    }
    log.drain();
    for (const auto& [id, view] : log.containers()) printer.end(id);
    printer.flush();
}

int run(Context& context, const Args& args) {
    const auto range = make_range(args);
    if (args.index && args.services.size() != 1)
        throw make_error(ErrorKind::usage, "--index needs exactly one service");
    const auto name = project_name(context);
    auto views = containers_of(context, name, args.services);
    std::erase_if(views, [&](const ContainerView& view) { return !is_wanted(args, view); });
    if (args.index && views.empty())
        throw make_error(ErrorKind::not_found, "service {} has no container #{}", quote(args.services[0]), *args.index);

    if (args.format != "text" && args.format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(args.format))
            .with_hint("use text or json");
    LogStyle style{.prefix = !args.no_prefix,
                   .timestamps = args.timestamps,
                   .color = context.color_out && !args.no_color,
                   .json = args.format == "json",
                   .wanted = {}};
    if (args.grep)
        style.wanted = [filter = std::make_shared<LineFilter>(*args.grep, args.ignore_case)](std::string_view line) {
            return filter->matches(line);
        };
    LogPrinter printer(style, standard_output());
    if (args.follow)
        follow(context.engine(), name, args, range, printer);
    else
        show(name, views, range, printer);
    return 0;
}

}  // namespace

Run define_logs(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Lines of all containers, in the order of time; stopped containers too. With -f new replicas join in.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("-f,--follow", args->follow, "Go on with what is written from now on");
    arguments.value("-n,--tail", args->tail, "LINES", "The last so many lines of each container (default all)");
    arguments.flag("-t,--timestamps", args->timestamps, "Show the time of each line");
    arguments.value("--since", args->since, "TIME", "Lines after a time, or a while ago: 42m");
    arguments.value("--until", args->until, "TIME", "Lines before a time, or a while ago");
    arguments.value("--grep", args->grep, "PATTERN", "Only lines that match an extended regular expression");
    arguments.flag("--ignore-case", args->ignore_case, "--grep takes upper and lower case for the same");
    arguments.value("--format", args->format, "FORMAT", "text, or json: one object a line");
    arguments.flag("--no-log-prefix", args->no_prefix, "Do not show the container's name before each line");
    arguments.flag("--no-color", args->no_color, "No colours");
    arguments.number("--index", args->index, "N", "The container with this number, when a service has several");
    arguments.example("compose logs -f --tail 20 web", "the last 20 lines, and what comes");
    arguments.example("compose logs --since 10m", "of the last ten minutes");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
