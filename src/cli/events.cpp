#include <compose/event_log.hpp>
#include <csignal>
#include <ctime>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool json = false;
    std::string since, until;
};

/// "2026-01-02 15:04:05.123456"
std::string local_time(std::int64_t time_ns) {
    const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time_ns % 1'000'000'000 / 1000);
}

std::string render(const RecordedEvent& event, bool as_json) {
    auto attributes = event.attributes;
    attributes["name"] = event.name;
    if (as_json) {
        json::object values;
        for (const auto& [key, value] : attributes) values[key] = value;
        return json::serialize(json::object{{"time", sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(event.time)))},
                                            {"type", event.type},
                                            {"service", event.service},
                                            {"id", event.id},
                                            {"action", event.action},
                                            {"attributes", std::move(values)}}) +
               "\n";
    }
    std::vector<std::string> shown;
    for (const auto& [key, value] : attributes) shown.push_back(key + "=" + value);
    return fmt::format("{} {} {} {} ({})\n", local_time(event.time), event.type, event.action, event.id,
                       join(shown, ", "));
}

std::int64_t parse_bound(const std::string& text, const char* flag) {
    if (text.empty()) return 0;
    const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
    if (time) return *time;
    throw make_error(ErrorKind::usage, "invalid time {} for {}", quote(text), flag)
        .with_hint("use a time such as 2026-01-02T15:04:05Z, or how long ago: 42m");
}

int run(Context& context, const Args& args) {
    const auto since = parse_bound(args.since, "--since");
    const auto until = parse_bound(args.until, "--until");
    const auto project = project_name(context);
    if (!args.services.empty()) (void)containers_of(context, project, args.services);
    const std::set<std::string> services(args.services.begin(), args.services.end());
    const auto now = [] { return sys::wall_now().time_since_epoch().count(); };
    const bool follow = until == 0 || until > now();
    sys::SignalSet signals({SIGINT, SIGTERM, SIGHUP});
    EventStream events(context.engine_options(), since, follow);
    for (;;) {
        std::string out;
        while (const auto event = events.next()) {
            if (until != 0 && event->time > until) {
                print(out);
                return 0;
            }
            const bool wanted = event->project == project && event->type == "container" &&
                                (services.empty() || services.contains(event->service));
            if (wanted) out += render(*event, args.json);
        }
        print(out);
        if (!follow || (until != 0 && now() >= until)) return 0;
        std::optional<std::chrono::milliseconds> patience;
        if (until != 0) patience = std::chrono::milliseconds((until - now()) / 1'000'000 + 1);
        std::array<sys::PollItem, 2> items{sys::PollItem{.fd = sys::FdRef(events.fd())},
                                           sys::PollItem{.fd = signals.fd()}};
        sys::poll(items, patience);
        if (signals.next()) return 130;
    }
}

}  // namespace

Run define_events(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("What happens to the project's containers, as it happens, until Ctrl-C.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("--json", args->json, "One JSON object a line");
    arguments.value("--since", args->since, "TIME", "What happened after a time, or a while ago: 42m");
    arguments.value("--until", args->until, "TIME", "Only until a time; ends then");
    arguments.example("compose events --json", "for programs");
    arguments.example("compose events --since 1h --until 0s", "the last hour");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
